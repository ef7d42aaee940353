"""Checks that the outputs of three stacks are one complete environment, in two regions of one account. Calls
nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

from shared.outputs import OutputsError, PlainGlobalOutputs, PlainRegionOutputs
from shared.places import Place

_ARN_PARTS = 6  # arn:partition:service:region:account:resource
_HIDDEN = "[secret]"  # what the Pulumi CLI prints instead of a secret output


class DeploymentError(RuntimeError):
    """The environment does not exist, or is not the requested one. The message names both sides."""


def read_outputs(
    environment: str, outputs: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[Place, PlainRegionOutputs], PlainGlobalOutputs]:
    """The outputs of the three stacks, by the contract. Raises DeploymentError if they are not one environment."""
    try:
        cells = {place: PlainRegionOutputs.from_plain(outputs.get(place, {})) for place in Place}
        global_outputs = PlainGlobalOutputs.from_plain(outputs.get("global", {}))
    except OutputsError as error:
        missing = [stack for stack in (*Place, "global") if not outputs.get(stack)]
        which = f"; nothing is deployed in {', '.join(missing)}" if missing else ""
        raise DeploymentError(f"{environment} is not deployed as a whole: {error}{which}") from error
    for stack, held in ({place.value: cell for place, cell in cells.items()} | {"global": global_outputs}).items():
        if hidden := [name for name, value in held.leaves() if value == _HIDDEN]:
            raise DeploymentError(f"stack {stack} of {environment} keeps {', '.join(hidden)} secret; export it plainly")
    _refuse_mixed(environment, cells, global_outputs)
    return cells, global_outputs


def _refuse_mixed(
    environment: str, cells: Mapping[Place, PlainRegionOutputs], global_outputs: PlainGlobalOutputs
) -> None:
    for place, cell in cells.items():
        if cell.place != place:
            raise DeploymentError(f"the outputs of stack {place} of {environment} are those of place {cell.place}")
        if cell.suffix != global_outputs.suffix:
            raise DeploymentError(
                f"stack {place} is of environment {cell.suffix}, stack global of {global_outputs.suffix}: "
                "another environment"
            )
        for name, region, _ in _arns(cell):
            if region not in ("", cell.region):
                raise DeploymentError(f"stack {place} is in {cell.region}, but its {name} is in {region}")
    if cells[Place.PRIMARY].region == cells[Place.SECONDARY].region:
        raise DeploymentError(
            f"both places of {environment} are in {cells[Place.PRIMARY].region}; two regions are needed"
        )
    for place, arn in (
        (Place.PRIMARY, global_outputs.primary_cluster_arn),
        (Place.SECONDARY, global_outputs.secondary_cluster_arn),
    ):
        region = arn.split(":")[3] if arn.startswith("arn:") else ""
        if region and region != cells[place].region:
            raise DeploymentError(
                f"stack {place} is in {cells[place].region}, but stack global has its database member in {region}"
            )


def account_of(
    cells: Mapping[Place, PlainRegionOutputs], global_outputs: PlainGlobalOutputs, *, stated: str | None = None
) -> str:
    """The account that all ARNs name, and `stated` too. Raises DeploymentError if they name several, or none does."""
    named = {stated: "endpoints.json"} if stated else {}
    stacks: dict[str, PlainRegionOutputs | PlainGlobalOutputs] = {"global": global_outputs}
    stacks |= {place.value: cell for place, cell in cells.items()}
    for stack, held in stacks.items():
        for name, _, account in _arns(held):
            if account:
                named.setdefault(account, f"{name} of stack {stack}")
    if not named:
        raise DeploymentError("no output names an account; the stacks are from another version: deploy them again")
    if len(named) > 1:
        sides = " and ".join(f"{where} is in account …{account[-4:]}" for account, where in named.items())
        raise DeploymentError(f"the stacks are in several accounts: {sides}")
    return next(iter(named))


def _arns(held: PlainRegionOutputs | PlainGlobalOutputs) -> Iterator[tuple[str, str, str]]:
    """Output name, region and account of each output that is an ARN; empty where a service names none."""
    for name, value in held.leaves():
        parts = value.split(":", _ARN_PARTS - 1) if isinstance(value, str) else []
        if len(parts) == _ARN_PARTS and parts[0] == "arn":
            yield name, parts[3], parts[4]
