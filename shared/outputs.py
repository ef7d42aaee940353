"""What each stack promises the others: one dataclass a stack, whose field names are the output names.

The same class is written by the stack that owns it and read by everyone else (`shared.references` in a stack program,
`from_plain` in the drill), so nobody spells an output name as a string. Adding a field is safe; before removing one,
stop reading it and deploy that first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Generic, Self, TypeVar

Text = TypeVar("Text")
Texts = TypeVar("Texts")


class OutputsError(ValueError):
    """A stack's outputs do not hold what its contract promises."""


@dataclass(frozen=True, kw_only=True)
class _Outputs(Generic[Text, Texts]):
    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Self:
        """From finished outputs, as `pulumi stack output --json` prints them. Raises OutputsError if one is missing."""
        names = [field.name for field in fields(cls)]
        if missing := [name for name in names if values.get(name) is None]:
            raise OutputsError(
                f"{cls.__name__} lacks {', '.join(missing)}; the stack is half deployed or from an older version: "
                "deploy it again"
            )
        return cls(**{name: values[name] for name in names})


@dataclass(frozen=True, kw_only=True)
class RegionOutputs(_Outputs[Text, Texts]):
    """What `stacks/primary` and `stacks/secondary` export."""

    place: Text
    region: Text
    account: Text
    suffix: Text
    vpc_id: Text
    vpc_cidr: Text
    public_subnet_ids: Texts
    private_subnet_ids: Texts
    private_route_table_ids: Texts
    data_key_arn: Text
    nlb_arn: Text
    nlb_dns_name: Text
    nlb_zone_id: Text
    target_group_arn: Text  # the NLB's: its health is what moves traffic
    service_name: Text  # the host name that clients ask for and the certificate carries
    certificate_pem: Text  # public; empty when a public authority issued it
    api_id: Text
    api_stage: Text
    api_url: Text
    database_subnet_group: Text
    database_security_group_id: Text
    payments_function: Text
    health_function: Text
    ledger_function: Text
    recovery_function: Text
    sentinel_function: Text
    parameter_function: Text
    sentinel_function_arn: Text
    failover_arn: Text  # of the state machine that takes over from the other region
    failback_arn: Text  # of the one that brings the other region back
    dead_letter_arn: Text
    dead_letter_url: Text
    nlb_arn_suffix: Text
    alb_dns_name: Text
    alb_zone_id: Text
    api_name: Text
    api_domain_host: Text  # what an alias of the API's own name leads to; empty without a public certificate
    api_domain_zone_id: Text
    api_caller_policy_arn: Text  # empty unless callers sign their requests
    api_usage_plan_id: Text  # empty unless callers have keys
    peer_service_hosts: Texts  # for the other region's functions, where there is no NAT; else empty
    peer_service_zone_ids: Texts
    bucket_name: Text
    bucket_arn: Text
    topic_arn: Text
    bus_arn: Text
    vault_name: Text
    vault_arn: Text
    certificate_arn: Text


@dataclass(frozen=True, kw_only=True)
class GlobalOutputs(_Outputs[Text, Texts]):
    """What `stacks/global` exports."""

    suffix: Text
    journal_table: Text
    accelerator_arn: Text
    accelerator_dns_name: Text
    accelerator_ips: Texts
    zone_id: Text
    zone_name: Text
    zone_name_servers: Texts
    failover_domain: Text
    global_cluster_id: Text
    primary_cluster_arn: Text
    secondary_cluster_arn: Text
    writer_endpoint: Text  # follows the writer role [AURORA-14]
    database_name: Text
    database_secret_arn: Text
    peering_connection_id: Text
    event_endpoint_id: Text
    dashboard_name: Text
    witness_names: Texts  # the primary's, the secondary's


PlainRegionOutputs = RegionOutputs[str, list[str]]
PlainGlobalOutputs = GlobalOutputs[str, list[str]]
