"""Checks that refuse a deployment or a destruction before it starts, each with the remedy."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ops.environment.aws import Caller, Client, masked
from ops.environment.roles import writer
from shared.command_line import CouldNotStart, Refused
from shared.outputs import leaves
from shared.places import Place
from shared.pulumi_cli import PulumiError, stack_outputs
from shared.settings import GlobalSettings

_ARN_PARTS = 6  # arn:partition:service:region:account:resource


def outputs_of(stacks: Sequence[str], environment: str) -> dict[str, dict[str, Any]]:
    """The outputs by stack, empty for one that was never deployed. Raises CouldNotStart if a stack does not exist."""
    with ThreadPoolExecutor() as pool:
        found = pool.map(lambda stack: _outputs(stack, environment), stacks)
    return dict(zip(stacks, found, strict=True))


def refuse_foreign_account(outputs: Mapping[str, dict[str, Any]], environment: str, caller: Caller) -> None:
    """Raises CouldNotStart if a stack is deployed in another account than the caller's."""
    for stack, deployed in outputs.items():
        for account in _accounts(deployed):
            if account != caller.account:
                raise CouldNotStart(
                    f"you are in account {masked(caller.account)}, but stack {stack} of {environment} is deployed in "
                    f"account {masked(account)}; choose the profile of that account"
                )


def refuse_protected(settings: GlobalSettings, environment: str) -> None:
    """Raises Refused: a resource that is protected in the state cannot be destroyed before an `up` unprotects it."""
    if settings.protection:
        raise Refused(
            f"{environment} is protected (dr:protection is true): set it false in stacks/*/Pulumi.{environment}.yaml, "
            f"then make deploy ENV={environment}, then destroy"
        )


def refuse_writer_elsewhere(settings: GlobalSettings, client: Client, environment: str) -> None:
    """Raises Refused if the writer is not in the primary region: Pulumi would detach the members in the wrong order
    [AURORA-3]."""
    regions = {place: settings.region(place) for place in Place}
    region = writer(client, settings.names.global_cluster, regions)
    if region not in (None, settings.primary_region):
        raise Refused(
            f"the database's writer is in {region}, not in the primary region {settings.primary_region}: move it with "
            f"make failback ENV={environment}, then destroy"
        )


def _outputs(stack: str, environment: str) -> dict[str, Any]:
    try:
        return stack_outputs(stack, environment)
    except PulumiError as error:
        raise CouldNotStart(f"{error}; `make init ENV={environment}` creates missing stacks") from error


def _accounts(outputs: dict[str, Any]) -> set[str]:
    arns = [value.split(":", _ARN_PARTS - 1) for _, value in leaves(outputs) if str(value).startswith("arn:")]
    return {parts[4] for parts in arns if len(parts) == _ARN_PARTS and parts[4]}
