"""The load balancers that are deployed, typed, read from the emulator's own state.

A snapshot is cheap to take (a few dictionaries) and never cached, so that the next one shows every change by the API.
"""

from dataclasses import dataclass
from typing import Any

from localaws import emulator


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    arn: str
    name: str
    dns_name: str
    kind: str  # "network" or "application", AWS's `Type`
    region: str
    account: str
    internal: bool
    security_groups: tuple[str, ...]
    idle_timeout: float  # AWS seconds; of an application load balancer
    record: dict[str, Any]  # the emulator's own, an argument of its dispatcher


@dataclass(frozen=True, kw_only=True)
class Listener:
    arn: str
    load_balancer: str
    port: int
    protocol: str
    certificate: str | None
    tls_policy: str
    forwards_to: tuple[str, ...]  # target group ARNs of its default action


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """The health check of a target group. Times in AWS seconds."""

    enabled: bool
    protocol: str
    port: str  # a number, or "traffic-port"
    path: str
    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int
    matcher: str


@dataclass(frozen=True, kw_only=True)
class TargetGroup:
    arn: str
    name: str
    region: str
    port: int
    target_type: str
    health_check: HealthCheck


@dataclass(frozen=True)
class Target:
    group: str
    id: str
    port: int


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """Load balancers, listeners and target groups by ARN, targets and users by target group."""

    load_balancers: dict[str, LoadBalancer]
    listeners: dict[str, Listener]
    target_groups: dict[str, TargetGroup]
    targets: dict[str, tuple[Target, ...]]
    groups_of: dict[str, frozenset[str]]  # load balancer -> target groups any of its listeners or rules forwards to

    def users_of(self, group: str) -> list[LoadBalancer]:
        """Load balancers that forward to `group`."""
        return [self.load_balancers[arn] for arn, groups in self.groups_of.items() if group in groups]


def snapshot() -> Deployed:
    """All accounts and regions as they are now."""
    balancers = {record["LoadBalancerArn"]: _load_balancer(record) for record in emulator.elb.load_balancer_records()}
    # The emulator keeps the listeners of a deleted load balancer; they serve nothing.
    listeners = {
        record["ListenerArn"]: _listener(record)
        for record in emulator.elb.listener_records()
        if record["LoadBalancerArn"] in balancers
    }
    groups = {record["TargetGroupArn"]: _target_group(record) for record in emulator.elb.target_group_records()}
    registered = emulator.elb.registered_targets()
    targets = {
        arn: tuple(Target(arn, entry["Id"], int(entry.get("Port") or group.port)) for entry in registered.get(arn, ()))
        for arn, group in groups.items()
    }
    uses: dict[str, set[str]] = {arn: set() for arn in balancers}
    for listener in listeners.values():
        uses[listener.load_balancer].update(arn for arn in listener.forwards_to if arn in groups)
    for rule in emulator.elb.listener_rule_records():
        if listener_of_rule := listeners.get(rule["ListenerArn"]):
            found = (arn for arn in _forwards(rule.get("Actions", ())) if arn in groups)
            uses[listener_of_rule.load_balancer].update(found)
    return Deployed(
        load_balancers=balancers,
        listeners=listeners,
        target_groups=groups,
        targets=targets,
        groups_of={arn: frozenset(used) for arn, used in uses.items()},
    )


def _forwards(actions: Any) -> tuple[str, ...]:
    return tuple(action["TargetGroupArn"] for action in actions if action.get("TargetGroupArn"))


def _load_balancer(record: dict[str, Any]) -> LoadBalancer:
    arn = record["LoadBalancerArn"]
    _, _, _, region, account, _ = arn.split(":", 5)
    attributes = emulator.elb.load_balancer_attributes(arn)
    return LoadBalancer(
        arn=arn,
        name=record["LoadBalancerName"],
        dns_name=record["DNSName"],
        kind=record["Type"],
        region=region,
        account=account,
        internal=record.get("Scheme") == "internal",
        security_groups=tuple(record.get("SecurityGroups", ())),
        idle_timeout=float(attributes.get("idle_timeout.timeout_seconds", 60)),
        record=record,
    )


def _listener(record: dict[str, Any]) -> Listener:
    return Listener(
        arn=record["ListenerArn"],
        load_balancer=record["LoadBalancerArn"],
        port=int(record["Port"]),
        protocol=record["Protocol"],
        certificate=next(iter(record.get("Certificates", ())), None),
        tls_policy=record.get("SslPolicy", ""),
        forwards_to=_forwards(record.get("DefaultActions", ())),
    )


def _target_group(record: dict[str, Any]) -> TargetGroup:
    arn = record["TargetGroupArn"]
    return TargetGroup(
        arn=arn,
        name=record["TargetGroupName"],
        region=arn.split(":")[3],
        port=int(record["Port"]),
        target_type=record["TargetType"],
        health_check=HealthCheck(
            enabled=bool(record["HealthCheckEnabled"]),
            protocol=record["HealthCheckProtocol"],
            port=str(record["HealthCheckPort"]),
            path=record["HealthCheckPath"],
            interval=float(record["HealthCheckIntervalSeconds"]),
            timeout=float(record["HealthCheckTimeoutSeconds"]),
            healthy_threshold=int(record["HealthyThresholdCount"]),
            unhealthy_threshold=int(record["UnhealthyThresholdCount"]),
            matcher=record["Matcher"]["HttpCode"],
        ),
    )
