"""Every rule with its policy name and its scope."""

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
    """The rows that a rule needs to check a resource."""

    RESOURCE = "resource"  # the resource alone: rejected before it is created
    STACK = "stack"  # all of its stack: rejected after a preview, or at the end of an update
    DEPLOYMENT = "deployment"  # all of the three stacks: checked in the tests, where all three are registered


@dataclass(frozen=True)
class Rule:
    name: str  # a stable slug: `pulumi preview` prints it, and a configuration of the pack may refer to it
    check: Check
    scope: Scope

    @property
    def description(self) -> str:
        """The first sentence of the check's docstring, else of its module's."""
        text = self.check.__doc__ or self.check.__globals__["__doc__"] or self.name
        return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."


_OF_A_RESOURCE: tuple[tuple[str, Check], ...] = (
    ("alarm-actions-required", alarms.actions_required),
    ("alarm-missing-data-treatment-required", alarms.missing_data_treatment_required),
    ("pulumi-protect-or-retain-denied", deletion.protect_or_retain_denied),
    ("deletion-protection-only-when-enabled", deletion.protection_only_when_enabled),
    ("hosted-zone-force-destroy-required", deletion.zone_force_destroy_required),
    ("deletion-protection-required", deletion.protection_required),
    ("ignore-changes-required", drift.ignore_changes_required),
    ("ignore-changes-unneeded", drift.ignore_changes_unneeded),
    ("fis-stop-condition-required", drills.stop_condition_required),
    ("encryption-enabled", encryption.encryption_enabled),
    ("unencrypted-feature-denied", encryption.unencrypted_feature_denied),
    ("kms-key-required", encryption.key_required),
    ("security-group-inline-rules-denied", exposure.inline_rules_denied),
    ("public-address-denied", exposure.public_address_denied),
    ("public-principal-denied", exposure.public_principal_denied),
    ("resource-type-denied", exposure.resource_type_denied),
    ("security-group-rule-explicit", exposure.rule_explicit),
    ("log-group-retention-required", functions.log_retention_required),
    ("lambda-runtime-and-architecture", functions.runtime_and_architecture),
    ("lambda-tracing-required", functions.tracing_required),
    ("lambda-permission-source-required", iam.permission_source_required),
    ("iam-role-trust-restricted", iam.role_trust_restricted),
    ("iam-policy-unchecked", iam.policy_unchecked),
    ("iam-managed-policy-unlisted", iam.managed_policy_unlisted),
    ("service-principal-source-required", iam.service_principal_source_required),
    ("iam-wildcard-action-denied", iam.wildcard_action_denied),
    ("iam-wildcard-resource-denied", iam.wildcard_resource_denied),
    ("name-place-required", names.place_required),
    ("name-suffix-required", names.suffix_required),
    ("explicit-provider-required", tags.provider_required),
    ("health-check-target-required", traffic.health_check_target_required),
    ("accelerator-endpoint-required", traffic.endpoint_required),
    ("health-check-placeholder-host", traffic.placeholder_host),
    ("sns-subscription-https", transit.subscription_https),
    ("api-domain-tls-1-2", transit.api_domain_tls),
    ("health-check-tls", transit.health_check_tls),
    ("accelerator-port-443", transit.accelerator_port_443),
)
_OF_A_STACK: tuple[tuple[str, Check], ...] = (
    ("composite-alarm-per-region", alarms.composite_per_region),
    ("alarm-topic-permission", alarms.topic_permission),
    ("deletion-protection-consistent", deletion.protection_consistent),
    ("nlb-before-internet-gateway", deletion.nlb_before_internet_gateway),
    ("s3-bucket-encryption-required", encryption.bucket_encryption_required),
    ("s3-public-access-blocked", exposure.public_access_blocked),
    ("lambda-dead-letter-queue-required", functions.dead_letter_queue_required),
    ("dead-letter-queue-retention", functions.dead_letter_retention),
    ("lambda-private-subnets", functions.private_subnets),
    ("lambda-duration-alarm-below-timeout", functions.duration_alarm_below_timeout),
    ("lambda-log-group-first", functions.log_group_first),
    ("default-tags-required", tags.default_tags_required),
    ("accelerator-listener-two-regions", traffic.listener_two_regions),
    ("database-tls-required", transit.database_tls_required),
    ("load-balancer-listener-tls", transit.listener_tls),
    ("resource-policy-tls-required", transit.resource_policy_tls_required),
)
_OF_ALL: tuple[tuple[str, Check], ...] = (
    ("alarm-metric-exists", alarms.metric_exists),
    ("alarm-topic-same-region", alarms.topic_same_region),
    ("dashboard-per-region", coverage.dashboard_per_region),
    ("alarm-coverage", coverage.alarm_coverage),
    ("region-switch-function-exists", drills.region_switch_function_exists),
    ("fis-stop-alarm-exists", drills.stop_alarm_exists),
    ("fis-target-exists", drills.target_exists),
    ("restore-test-regional-key", encryption.restore_test_regional_key),
    ("regional-key-required", encryption.regional_key_required),
    ("ingress-source-restricted", exposure.ingress_source_restricted),
    ("security-group-required", exposure.security_group_required),
)

RULES: tuple[Rule, ...] = (
    *(Rule(name, check, Scope.RESOURCE) for name, check in _OF_A_RESOURCE),
    *(Rule(name, check, Scope.STACK) for name, check in _OF_A_STACK),
    *(Rule(name, check, Scope.DEPLOYMENT) for name, check in _OF_ALL),
)
