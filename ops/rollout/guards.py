"""What a command that changes a cloud refuses before it starts, each with the remedy."""

from collections.abc import Sequence
from typing import Any

from ops.cli.errors import CouldNotStart, Refused
from ops.environment.caller import Caller, shown
from ops.environment.writer import Client, writer
from shared.outputs import leaves
from shared.places import Place
from shared.pulumi_cli import PulumiError, stack_outputs
from shared.settings import GlobalSettings

_ARN_PARTS = 6  # arn:partition:service:region:account:resource


def foreign_account(stacks: Sequence[str], environment: str, who: Caller) -> None:
    """Raises CouldNotStart if what is deployed is in another account than the caller, or no stack is there yet."""
    for stack in stacks:
        try:
            held = stack_outputs(stack, environment)
        except PulumiError as error:
            raise CouldNotStart(f"{error}; `make init ENV={environment}` makes what is missing") from error
        for account in _accounts(held):
            if account != who.account:
                raise CouldNotStart(
                    f"you are in account {shown(who.account)}, but stack {stack} of {environment} is deployed in "
                    f"account {shown(account)}; choose the profile of that account"
                )


def undeployed(environment: str) -> list[str]:
    """The regional stacks that export nothing, since they were never deployed."""
    try:
        return [str(place) for place in Place if not stack_outputs(place, environment)]
    except PulumiError as error:
        raise CouldNotStart(f"{error}; `make init ENV={environment}` makes what is missing") from error


def protected(settings: GlobalSettings, environment: str) -> None:
    """Raises Refused: what is protected in the state cannot be destroyed before an `up` has taken that away."""
    if settings.protection:
        raise Refused(
            f"{environment} is protected (dr:protection is true): set it false in stacks/*/Pulumi.{environment}.yaml, "
            f"then make deploy ENV={environment}, then destroy"
        )


def away_from_home(settings: GlobalSettings, client: Client, environment: str) -> None:
    """Raises Refused: Pulumi would detach the database's members in the wrong order [AURORA-3]."""
    regions = {place: settings.region(place) for place in Place}
    where = writer(client, settings.names.global_cluster, regions)
    if where not in (None, settings.primary_region):
        raise Refused(
            f"the database's writer is in {where}, not at home in {settings.primary_region}: bring it back with "
            f"make failback ENV={environment}, then destroy"
        )


def _accounts(held: dict[str, Any]) -> set[str]:
    arns = [value.split(":", _ARN_PARTS - 1) for _, value in leaves(held) if str(value).startswith("arn:")]
    return {parts[4] for parts in arns if len(parts) == _ARN_PARTS and parts[4]}
