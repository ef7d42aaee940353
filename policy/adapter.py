"""Rules as `pulumi_policy` policies, and the Pulumi engine's resources as rows for the rules.

For a resource policy the engine passes the inputs, for a stack policy the outputs with the inputs merged into them.
Values that are unknown in a preview are represented by `rules.unknown`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyProviderResource,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from policy.catalogue import RULES, Rule, Scope
from policy.rules.exposure import BUCKET
from policy.rules.rows import Row, label
from policy.rules.tags import PROVIDER
from policy.rules.unknown import Later, NotKnownYet, Unknown


def policies() -> list[Policy]:
    """Every rule that needs one stack or less, as a mandatory policy."""
    return [_POLICIES[rule.scope](rule) for rule in RULES if rule.scope in _POLICIES]


def _resource_policy(rule: Rule) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for violation in _violations(rule, [resource_row(args)]):
            report(violation, None)

    return ResourceValidationPolicy(rule.name, rule.description, validate, EnforcementLevel.MANDATORY)


def _stack_policy(rule: Rule) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        rows = stack_rows(args.resources)
        for violation in _violations(rule, rows):
            report(violation, next((row["urn"] for row in rows if violation.startswith(f"{label(row)} ")), None))

    return StackValidationPolicy(rule.name, rule.description, validate, EnforcementLevel.MANDATORY)


_POLICIES = {Scope.RESOURCE: _resource_policy, Scope.STACK: _stack_policy}


def _violations(rule: Rule, rows: Sequence[Row]) -> list[str]:
    """The rule's violations; none if it needs a value that is unknown in a preview. The update checks it again."""
    try:
        return rule.check(rows)
    except NotKnownYet:
        return []


class _Outputs(dict[str, Any]):
    """Outputs of a resource; one that the engine does not pass is `Later`."""

    def __init__(self, urn: str, known: Mapping[str, Any]) -> None:
        super().__init__(known)
        self._urn = urn

    def __missing__(self, key: str) -> Later:
        return Later(self._urn)


def resource_row(args: ResourceValidationArgs) -> Row:
    return _row(args, plain(args.props), ())


def stack_rows(resources: Iterable[PolicyResource]) -> list[Row]:
    """The resources, and their providers, which the engine passes as part of each resource."""
    passed = list(resources)
    rows = [_row(each, _connected(each), [one.urn for one in each.dependencies]) for each in passed]
    urns = {row["urn"] for row in rows}
    providers = {each.provider.urn: each.provider for each in passed if each.provider}
    return rows + [_provider_row(each) for urn, each in providers.items() if urn not in urns]


def _row(resource: ResourceValidationArgs | PolicyResource, inputs: dict[str, Any], depends_on: Sequence[str]) -> Row:
    provider = plain(resource.provider.props) if resource.provider else {}
    return {
        "stack": _stack(resource.urn),
        "suffix": pulumi.Config("dr").get("suffix"),
        "urn": resource.urn,
        "type": resource.resource_type,
        "name": resource.name,
        "region": given if isinstance(given := inputs.get("region"), str) else provider.get("region"),
        "provider": resource.provider.urn if resource.provider else "",
        "inputs": inputs,
        "outputs": _Outputs(resource.urn, inputs),
        "options": {
            "protect": resource.opts.protect,
            "ignore_changes": list(resource.opts.ignore_changes),
            "depends_on": list(depends_on),
        },
    }


def _provider_row(resource: PolicyProviderResource) -> Row:
    inputs = plain(resource.props)
    return {
        "stack": _stack(resource.urn),
        "urn": resource.urn,
        "type": resource.resource_type or PROVIDER,
        "name": resource.name,
        "region": inputs.get("region"),
        "provider": "",
        "inputs": inputs,
        "outputs": inputs,
        "options": {"protect": False, "ignore_changes": [], "depends_on": []},
    }


def _stack(urn: str) -> str:
    """`primary` of urn:pulumi:prod::dr-primary::…"""
    return urn.split("::")[1].removeprefix("dr-")


def _connected(resource: PolicyResource) -> dict[str, Any]:
    """The properties; an unknown one becomes the `Later` of the resource it comes from, if there is only one."""
    return {key: plain(value, _source(resource, key), key) for key, value in _items(resource.props)}


Replacement = Callable[[str], Any]
"""The substitute for an unknown value at this key."""


def _source(resource: PolicyResource, key: str) -> Replacement:
    sources = {each.urn: each for each in resource.property_dependencies.get(key, ())}
    if not sources:
        return lambda _: Later(resource.urn)
    if len(sources) > 1:
        return lambda _: Unknown()
    (source,) = sources.values()

    def replacement(at: str) -> Any:
        # A bucket's id is the name it was given, also in a block such as a load balancer's access logs.
        return _at(source.props, at) if (source.resource_type, at) == (BUCKET, "bucket") else Later(source.urn)

    return replacement


def plain(value: Any, unknown: Replacement = lambda _: Unknown(), key: str = "") -> Any:
    """A copy without the SDK's proxies, which raise on access to an unknown value; `unknown` replaces such a value."""
    if isinstance(value, Mapping):
        return {inner: plain(each, unknown, inner) for inner, each in _items(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(_at(value, index), unknown, key) for index in range(len(value))]
    return unknown(key) if isinstance(value, Unknown) else value


def _items(props: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(key, _at(props, key)) for key in props]


def _at(holder: Any, key: Any) -> Any:
    try:
        return holder[key]
    except UnknownValueError:
        return Unknown()
