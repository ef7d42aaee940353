"""Every rule with the name people see when it refuses something, and how much of the environment it must see."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from policy.rules import (
    alarms,
    coverage,
    deletion,
    drift,
    drills,
    encryption,
    exposure,
    functions,
    iam,
    names,
    tags,
    traffic,
    transit,
)
from policy.rules.rows import Rows

Check = Callable[[Rows], list[str]]


class Scope(StrEnum):
    """What a rule needs to see to judge a resource."""

    RESOURCE = "resource"  # its inputs: refused before it is made
    STACK = "stack"  # and the others of its stack: refused after a preview, or at the end of an update
    DEPLOYMENT = "deployment"  # and those of the two other stacks: only where all three are registered, in the tests


@dataclass(frozen=True)
class Rule:
    check: Check
    scope: Scope

    @property
    def name(self) -> str:
        """Subject and finding: `encryption-without-any-key`."""
        return f"{self.check.__module__.rpartition('.')[2]}-{self.check.__name__.replace('_', '-')}"

    @property
    def description(self) -> str:
        """The first sentence of what the rule says of itself, else of its subject."""
        text = self.check.__doc__ or self.check.__globals__["__doc__"] or self.name
        return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."


_OF_A_RESOURCE: tuple[Check, ...] = (
    alarms.unheard,
    alarms.unsaid_missing_data,
    deletion.kept_by_pulumi,
    deletion.kept_without_need,
    deletion.occupied_zones,
    deletion.unprotected,
    drift.changed_back,
    drift.ignored_without_need,
    drills.unstoppable,
    encryption.not_switched_on,
    encryption.unused_but_on,
    encryption.without_any_key,
    exposure.inline_rules,
    exposure.public_addresses,
    exposure.public_principals,
    exposure.refused_types,
    exposure.unnamed_peers,
    functions.endless_logs,
    functions.of_another_kind,
    functions.untraced,
    iam.open_functions,
    iam.trusted_by_others,
    iam.unknown_policies,
    iam.unlisted_attachments,
    iam.used_for_others,
    iam.wildcard_actions,
    iam.wildcard_resources,
    names.without_place,
    names.without_suffix,
    tags.without_provider,
    traffic.checks_of_nothing,
    traffic.idle_groups,
    traffic.placeholder_hosts,
    transit.messages_in_clear,
    transit.old_api_policies,
    transit.plain_health_checks,
    transit.plain_ports,
)
_OF_A_STACK: tuple[Check, ...] = (
    alarms.composites_of_nothing,
    alarms.silent_topics,
    deletion.half_protected,
    deletion.held_by_a_gateway,
    encryption.buckets_without_encryption,
    exposure.public_buckets,
    functions.losing,
    functions.lost_messages,
    functions.outside,
    functions.slow_to_tell,
    functions.unready_logs,
    tags.untagged,
    traffic.lonely_listeners,
    transit.databases_without_tls,
    transit.plain_listeners,
    transit.reachable_in_clear,
)
_OF_ALL: tuple[Check, ...] = (
    alarms.on_no_metric,
    alarms.told_elsewhere,
    coverage.unseen_regions,
    coverage.unwatched,
    drills.plans_of_nothing,
    drills.stopped_by_nothing,
    drills.unmarked_targets,
    encryption.restored_without_our_key,
    encryption.without_our_key,
    exposure.open_doors,
    exposure.unguarded,
)

RULES: tuple[Rule, ...] = (
    *(Rule(check, Scope.RESOURCE) for check in _OF_A_RESOURCE),
    *(Rule(check, Scope.STACK) for check in _OF_A_STACK),
    *(Rule(check, Scope.DEPLOYMENT) for check in _OF_ALL),
)
