"""Operations that an interrupted deployment left pending in the state of a stack.

The engine records an operation before it starts, and a resource when it has an id. If the CLI is killed in between, the
resource may exist while the state has no id of it: its name would refuse a second creation, and one without a name
would exist twice. The CLI itself only warns of that. `settle` records what was created, and drops the rest.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import typer

from ops.environment.aws import Client
from ops.rollout import adoption, locks, pulumi_cli, waves
from ops.rollout.locks import Lock
from shared.command_line import CouldNotStart, confirm

_CREATING = "creating"
Resource = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class State:
    """The exported state of a stack."""

    stack: str
    exported: dict[str, Any]
    replaced: list[str] = field(default_factory=list)  # resources whose predecessors are marked for deletion

    @property
    def deployment(self) -> dict[str, Any]:
        return self.exported.get("deployment") or {}

    @property
    def resources(self) -> list[Resource]:
        found: list[Resource] = self.deployment.get("resources") or []
        return found

    @property
    def operations(self) -> list[dict[str, Any]]:
        return self.deployment.get("pending_operations") or []

    def region_of(self, resource: Resource) -> str:
        """Its own, or that of its provider; empty for a resource that is in none."""
        provider = str(resource.get("provider", "")).rpartition("::")[0]
        places = [resource, *(each for each in self.resources if each["urn"] == provider)]
        return next((str(each["inputs"]["region"]) for each in places if (each.get("inputs") or {}).get("region")), "")


def settle(stacks: Sequence[str], environment: str, client: Client, *, yes: bool, excluded: str = "") -> None:
    """Bring what was interrupted in the `stacks` to an end: record what was created, drop the rest, read what is true.

    Can be repeated, also after it was itself interrupted. A stack with operations in the region `excluded` is left as
    it is. Raises CouldNotStart without a confirmation, Incomplete if AWS could not be read.
    """
    for stack in stacks:
        state = _export(stack, environment)
        if excluded and excluded in {state.region_of(each["resource"]) for each in state.operations}:
            typer.echo(f"{stack}: interrupted operations in {excluded} stay in the state until that region is back")
            continue
        touched = _unread(state)
        if state.operations:
            _refuse_unknown(state)
            confirm(_summary(state, environment), environment, yes=yes)
            touched += _settled(state, client)
            _import(state, environment, yes=yes)
        _refresh(state, environment, touched, yes=yes)
        _keep_what_was_not_replaced(state, environment, yes=yes)


def _export(stack: str, environment: str) -> State:
    """Secrets stay encrypted in it."""
    return State(
        stack=stack, exported=json.loads(pulumi_cli.output(stack, ["stack", "export", "--stack", environment]))
    )


def _import(state: State, environment: str, *, yes: bool) -> None:
    """Usually the interrupted deployment has left its lock as well. That of one that still runs refuses the import."""
    words = ["stack", "import", "--stack", environment, "--non-interactive"]
    content = json.dumps(state.exported)
    try:
        pulumi_cli.output(state.stack, words, standard_input=content)
    except CouldNotStart as error:
        lock = Lock.of(state.stack, str(error).splitlines())
        if lock is None:
            raise
        locks.remove_stale([lock], environment, yes=yes)
        pulumi_cli.output(state.stack, words, standard_input=content)


def _unread(state: State) -> list[str]:
    """Resources that were recorded by `settle`, but not read afterwards."""
    return [each["urn"] for each in state.resources if _is_in_aws(each) and each.get("id") and not each.get("outputs")]


def _refuse_unknown(state: State) -> None:
    for operation in state.operations:
        resource = operation["resource"]
        if operation["type"] == _CREATING and _is_in_aws(resource) and not adoption.is_known(resource["type"]):
            raise CouldNotStart(
                f"the creation of {_name(resource)} ({resource['type']}) in {state.stack} was interrupted, and this "
                "command cannot look up resources of that type: delete it from AWS if it exists, then run "
                f"pulumi refresh --clear-pending-creates in stacks/{state.stack}"
            )


def _summary(state: State, environment: str) -> str:
    lines = (
        f"  {_name(each['resource'])} ({each['resource']['type']}), interrupted while {each['type']}"
        for each in state.operations
    )
    return (
        f"A former deployment of {state.stack} of {environment} was interrupted:\n"
        + "\n".join(lines)
        + "\nRecords in the state what AWS has of it, and drops the rest. Changes no resource."
    )


def _settled(state: State, client: Client) -> list[str]:
    """Take every pending operation off the state; the resources to be read."""
    operations = [*state.operations]
    state.deployment["pending_operations"] = []
    created = [each["resource"] for each in operations if each["type"] == _CREATING]
    fitting = {other: each for each in created for other in _adopt(state, each, client)}
    for identity, resource in fitting.items():
        if identity not in _known(state, resource["type"]):
            typer.echo(f"{state.stack}: {identity} is like {_name(resource)}; delete it if nothing uses it")
    recorded = {each["urn"] for each in state.resources}
    return [each["resource"]["urn"] for each in operations if each["resource"]["urn"] in recorded]


def _adopt(state: State, resource: Resource, client: Client) -> list[str]:
    """Record a resource whose creation was interrupted, unless there is none; other ids that it may have."""
    type_, name = resource["type"], f"{state.stack}: {_name(resource)}"
    found = _candidates(state, resource, client)
    former = _recorded(state, resource["urn"])
    if former and not former.get("pendingReplacement"):
        since = _candidates(state, {**resource, "inputs": former.get("inputs")}, client)
        if former.get("inputs") == resource.get("inputs") or {*found} & {*since}:
            typer.echo(f"{name} was created by another deployment since")
            return found if type_ in adoption.UNNAMED else []
    if not found:
        typer.echo(f"{name}: the next deployment creates it")
        return []
    _record(state, {**resource, "id": found[0]}, former)
    typer.echo(f"{name}: recorded as {found[0]}" + (", if AWS has it" if type_ in adoption.NAMED else ""))
    return found[1:]


def _candidates(state: State, resource: Resource, client: Client) -> list[str]:
    type_ = resource["type"]
    found = adoption.candidates(type_, resource.get("inputs") or {}, state.region_of(resource), client)
    known = set() if type_ in adoption.NAMED else _known(state, type_)  # a name may be used once in each region
    return [each for each in found if each not in known]


def _known(state: State, type_: str) -> set[str]:
    return {each["id"] for each in state.resources if each["type"] == type_ and each.get("id")}


def _recorded(state: State, urn: str) -> Resource | None:
    return next((each for each in state.resources if each["urn"] == urn and not each.get("delete")), None)


def _record(state: State, resource: Resource, former: Resource | None) -> None:
    """Without outputs, which makes a refresh read all of it. What it depends on comes before it: at the end, or where
    its predecessor is, which is to be deleted unless it was deleted before."""
    resource.pop("outputs", None)
    if former is None:
        state.resources.append(resource)
        return
    place = next(index for index, each in enumerate(state.resources) if each is former)
    if former.get("pendingReplacement"):
        state.resources[place] = resource
    else:
        former["delete"] = True
        state.resources.insert(place, resource)
        state.replaced.append(resource["urn"])


def _keep_what_was_not_replaced(state: State, environment: str, *, yes: bool) -> None:
    """Take the mark for deletion off a predecessor whose replacement is not in AWS after all."""
    if not state.replaced:
        return
    now = _export(state.stack, environment)
    kept = [urn for urn in state.replaced if _recorded(now, urn) is None]
    for each in now.resources:
        if each["urn"] in kept:
            each.pop("delete", None)
    if kept:
        _import(now, environment, yes=yes)


def _refresh(state: State, environment: str, urns: Sequence[str], *, yes: bool) -> None:
    """Read resources from AWS; those that are not there leave the state. Raises Incomplete."""
    if not urns:
        return
    targets = [word for urn in dict.fromkeys(urns) for word in ("--target", urn)]
    waves.run(
        ["refresh", "--skip-preview", *targets],
        environment,
        doing="reading what was interrupted in",
        again="the same command",
        yes=yes,
        waves=[[state.stack]],
    )


def _is_in_aws(resource: Resource) -> bool:
    """Whether it is more than a component, a provider or a reference of Pulumi's own."""
    return bool(resource.get("custom")) and not str(resource["type"]).startswith("pulumi:")


def _name(resource: Mapping[str, Any]) -> str:
    return str(resource["urn"]).rpartition("::")[2]
