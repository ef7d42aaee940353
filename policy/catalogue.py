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
    name: str  # a stable slug: what `pulumi preview` prints, and what a configuration of the pack may name
    check: Check
    scope: Scope

    @property
    def description(self) -> str:
        """The first sentence of what the rule says of itself, else of its subject."""
        text = self.check.__doc__ or self.check.__globals__["__doc__"] or self.name
        return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."


_OF_A_RESOURCE: tuple[tuple[str, Check], ...] = (
    ("alarm-actions-required", alarms.unheard),
    ("alarm-missing-data-treatment-required", alarms.unsaid_missing_data),
    ("pulumi-protect-or-retain-denied", deletion.kept_by_pulumi),
    ("deletion-protection-only-when-enabled", deletion.kept_without_need),
    ("hosted-zone-force-destroy-required", deletion.occupied_zones),
    ("deletion-protection-required", deletion.unprotected),
    ("ignore-changes-required", drift.changed_back),
    ("ignore-changes-unneeded", drift.ignored_without_need),
    ("fis-stop-condition-required", drills.unstoppable),
    ("encryption-enabled", encryption.not_switched_on),
    ("unencrypted-feature-denied", encryption.unused_but_on),
    ("kms-key-required", encryption.without_any_key),
    ("security-group-inline-rules-denied", exposure.inline_rules),
    ("public-address-denied", exposure.public_addresses),
    ("public-principal-denied", exposure.public_principals),
    ("resource-type-denied", exposure.refused_types),
    ("security-group-rule-explicit", exposure.unnamed_peers),
    ("log-group-retention-required", functions.endless_logs),
    ("lambda-runtime-and-architecture", functions.of_another_kind),
    ("lambda-tracing-required", functions.untraced),
    ("lambda-permission-source-required", iam.open_functions),
    ("iam-role-trust-restricted", iam.trusted_by_others),
    ("iam-policy-unchecked", iam.unknown_policies),
    ("iam-managed-policy-unlisted", iam.unlisted_attachments),
    ("service-principal-source-required", iam.used_for_others),
    ("iam-wildcard-action-denied", iam.wildcard_actions),
    ("iam-wildcard-resource-denied", iam.wildcard_resources),
    ("name-place-required", names.without_place),
    ("name-suffix-required", names.without_suffix),
    ("explicit-provider-required", tags.without_provider),
    ("health-check-target-required", traffic.checks_of_nothing),
    ("accelerator-endpoint-required", traffic.idle_groups),
    ("health-check-placeholder-host", traffic.placeholder_hosts),
    ("sns-subscription-https", transit.messages_in_clear),
    ("api-domain-tls-1-2", transit.old_api_policies),
    ("health-check-tls", transit.plain_health_checks),
    ("accelerator-port-443", transit.plain_ports),
)
_OF_A_STACK: tuple[tuple[str, Check], ...] = (
    ("composite-alarm-per-region", alarms.composites_of_nothing),
    ("alarm-topic-permission", alarms.silent_topics),
    ("deletion-protection-consistent", deletion.half_protected),
    ("nlb-before-internet-gateway", deletion.held_by_a_gateway),
    ("s3-bucket-encryption-required", encryption.buckets_without_encryption),
    ("s3-public-access-blocked", exposure.public_buckets),
    ("lambda-dead-letter-queue-required", functions.losing),
    ("dead-letter-queue-retention", functions.lost_messages),
    ("lambda-private-subnets", functions.outside),
    ("lambda-duration-alarm-below-timeout", functions.slow_to_tell),
    ("lambda-log-group-first", functions.unready_logs),
    ("default-tags-required", tags.untagged),
    ("accelerator-listener-two-regions", traffic.lonely_listeners),
    ("database-tls-required", transit.databases_without_tls),
    ("load-balancer-listener-tls", transit.plain_listeners),
    ("resource-policy-tls-required", transit.reachable_in_clear),
)
_OF_ALL: tuple[tuple[str, Check], ...] = (
    ("alarm-metric-exists", alarms.on_no_metric),
    ("alarm-topic-same-region", alarms.told_elsewhere),
    ("dashboard-per-region", coverage.unseen_regions),
    ("alarm-coverage", coverage.unwatched),
    ("region-switch-function-exists", drills.plans_of_nothing),
    ("fis-stop-alarm-exists", drills.stopped_by_nothing),
    ("fis-target-exists", drills.unmarked_targets),
    ("restore-test-regional-key", encryption.restored_without_our_key),
    ("regional-key-required", encryption.without_our_key),
    ("ingress-source-restricted", exposure.open_doors),
    ("security-group-required", exposure.unguarded),
)

RULES: tuple[Rule, ...] = (
    *(Rule(name, check, Scope.RESOURCE) for name, check in _OF_A_RESOURCE),
    *(Rule(name, check, Scope.STACK) for name, check in _OF_A_STACK),
    *(Rule(name, check, Scope.DEPLOYMENT) for name, check in _OF_ALL),
)
