"""The contract between the stacks: one dataclass a stack, with a slice for each subject; field names are output names.

The same class is written by the stack that owns it and read by everyone else (`shared.references` in a stack program,
`from_plain` in the drill), so that no output name is spelt as a string. A slice is one stack output, a JSON object:
`outputs["ingress"]["nlb_arn"]`, `outputs["compute"]["functions"]["ledger"]["name"]`. Adding a field is safe; before
removing one, stop reading it and deploy that first.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Generic, Self, TypeVar, get_args, get_origin

from shared.functions import FUNCTIONS

Text = TypeVar("Text")
Texts = TypeVar("Texts")
Path = tuple[str, ...]


class OutputsError(ValueError):
    """A stack's outputs do not hold what its contract promises."""


@dataclass(frozen=True, kw_only=True)
class _Outputs(Generic[Text, Texts]):
    @classmethod
    def build(cls, leaf: Callable[[Path], Any], path: Path = ()) -> Self:
        """From `leaf`, which gives the value at a path, such as ("ingress", "nlb_arn")."""
        return cls(**{each.name: _member(each.type, leaf, (*path, each.name)) for each in fields(cls)})

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Self:
        """From finished outputs, as `pulumi stack output --json` prints them. Raises OutputsError if one is missing."""
        missing: list[str] = []

        def leaf(path: Path) -> Any:
            found: Any = values
            for key in path:
                found = found.get(key) if isinstance(found, Mapping) else None
            if found is None:
                missing.append(".".join(path))
            return found

        built = cls.build(leaf)
        if missing:
            raise OutputsError(
                f"{cls.__name__} lacks {', '.join(missing)}; the stack is half deployed or from an older version: "
                "deploy it again"
            )
        return built

    def to_plain(self) -> dict[str, Any]:
        """The outputs by name, slices as dictionaries."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}

    def leaves(self) -> Iterator[tuple[str, Any]]:
        """Every value with its dotted name: `ingress.nlb_arn`."""
        return leaves(self.to_plain())


def _member(kind: Any, leaf: Callable[[Path], Any], path: Path) -> Any:
    origin = get_origin(kind)
    if origin is Mapping:
        return {name: _member(get_args(kind)[1], leaf, (*path, name)) for name in FUNCTIONS}
    if isinstance(origin, type) and issubclass(origin, _Outputs):
        return origin.build(leaf, path)
    return leaf(path)


def _plain(value: Any) -> Any:
    if isinstance(value, _Outputs):
        return value.to_plain()
    return {key: _plain(each) for key, each in value.items()} if isinstance(value, Mapping) else value


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of nested outputs with its dotted name."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


@dataclass(frozen=True, kw_only=True)
class NetworkOutputs(_Outputs[Text, Texts]):
    vpc_id: Text
    cidr: Text
    public_subnet_ids: Texts
    private_subnet_ids: Texts
    private_route_table_ids: Texts  # one per zone, in the order of the zones' letters


@dataclass(frozen=True, kw_only=True)
class PeerServicesOutputs(_Outputs[Text, Texts]):
    """Interface endpoints for the other region's functions, where there is no NAT, in the order of PEER_SERVICES
    (`components.network.endpoints`); empty with NAT."""

    hosts: Texts
    zone_ids: Texts


@dataclass(frozen=True, kw_only=True)
class DatabaseOutputs(_Outputs[Text, Texts]):
    """The network of the region's member of the global database."""

    subnet_group: Text
    security_group_id: Text


@dataclass(frozen=True, kw_only=True)
class IngressOutputs(_Outputs[Text, Texts]):
    nlb_arn: Text
    nlb_arn_suffix: Text
    nlb_dns_name: Text
    nlb_zone_id: Text
    alb_dns_name: Text
    alb_zone_id: Text
    target_group_arn: Text  # the NLB's: its health is what moves traffic
    service_name: Text  # the host name that clients use and the certificate covers
    certificate_arn: Text
    certificate_pem: Text  # public; empty when a public authority issued it
    api_id: Text
    api_name: Text
    api_stage: Text
    api_url: Text
    api_domain_host: Text  # what an alias of the API's own name leads to; empty without a public certificate
    api_domain_zone_id: Text
    api_caller_policy_arn: Text  # empty unless callers sign their requests
    api_usage_plan_id: Text  # empty unless callers have keys


@dataclass(frozen=True, kw_only=True)
class FunctionOutputs(_Outputs[Text, Texts]):
    name: Text
    arn: Text


@dataclass(frozen=True, kw_only=True)
class ComputeOutputs(_Outputs[Text, Texts]):
    functions: Mapping[str, FunctionOutputs[Text, Texts]]  # by the name in `shared.functions`
    failover_arn: Text  # of the state machine that takes over from the other region
    failback_arn: Text  # of the one that brings the other region back


@dataclass(frozen=True, kw_only=True)
class StorageOutputs(_Outputs[Text, Texts]):
    data_key_arn: Text
    bucket_name: Text
    bucket_arn: Text
    vault_name: Text
    vault_arn: Text


@dataclass(frozen=True, kw_only=True)
class MessagingOutputs(_Outputs[Text, Texts]):
    topic_arn: Text
    bus_arn: Text
    dead_letter_arn: Text
    dead_letter_url: Text


@dataclass(frozen=True, kw_only=True)
class RegionOutputs(_Outputs[Text, Texts]):
    """The outputs of `stacks/primary` and `stacks/secondary`."""

    place: Text
    region: Text
    account: Text
    suffix: Text
    network: NetworkOutputs[Text, Texts]
    peer_services: PeerServicesOutputs[Text, Texts]
    database: DatabaseOutputs[Text, Texts]
    ingress: IngressOutputs[Text, Texts]
    compute: ComputeOutputs[Text, Texts]
    storage: StorageOutputs[Text, Texts]
    messaging: MessagingOutputs[Text, Texts]


@dataclass(frozen=True, kw_only=True)
class GlobalOutputs(_Outputs[Text, Texts]):
    """The outputs of `stacks/global`."""

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
