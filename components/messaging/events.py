"""A region's event bus, and the global endpoint of the two: events go to the primary's, or to the secondary's while
that is unhealthy.

Publishers use the endpoint's id and Signature Version 4A, which needs `awscrt` [EVENTS-3]. Events reach both buses, so
consumers must recognise duplicates.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam
from components.monitoring.alarms import Monitored, metric_alarm
from components.monitoring.catalogue_compute import EVENT_LATENCY
from shared.naming import Names
from shared.places import Place
from shared.references import Regions


@dataclass(frozen=True, kw_only=True)
class EventEndpointArgs:
    names: Names
    regions: Regions
    nlb_check_id: pulumi.Input[str]  # id of the health check on the primary region's NLB


class EventEndpoint(pulumi.ComponentResource):
    """Created in the primary region, whose provider must be given.

    It follows two health checks. AWS's own, an alarm on EventBridge's latency, detects a disturbed EventBridge; but
    without data it must keep its last state, or a quiet night would move events, so it does not detect a lost region.
    The check on the region's NLB does. Both must be healthy.
    """

    id: pulumi.Output[str]  # the part of its URL that PutEvents accepts

    def __init__(self, name: str, args: EventEndpointArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:event_endpoint:EventEndpoint", name, None, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        check = self._health_check()
        role, policy = iam.service_role(
            name,
            name=args.names.shared("role-endpoint-events"),
            trust=iam.trust("events.amazonaws.com"),
            statements=lambda role_arn: _statements(role_arn, args),
            opts=self._child,
        )
        endpoint = aws.cloudwatch.EventEndpoint(
            f"{name}-endpoint",
            name=args.names.events,
            description="Payments' events, to whichever region is well",
            event_buses=[{"event_bus_arn": args.regions[place].outputs.messaging.bus_arn} for place in Place],
            routing_config={
                "failover_config": {
                    "primary": {"health_check": check.arn},
                    # A region's name, not the word SECONDARY [EVENTS-2].
                    "secondary": {"route": args.regions[Place.SECONDARY].region},
                }
            },
            # Without it, an operator would have to reset the health check to bring events back [EVENTS-4].
            replication_config={"state": "ENABLED"},
            role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.id = endpoint.endpoint_url.apply(endpoint_id)
        self.register_outputs({"id": self.id})

    def _health_check(self) -> aws.route53.HealthCheck:
        """Route 53 copies the alarm's settings when the check is made; `triggers` has it copy changes too."""
        alarm = metric_alarm(
            f"{self._prefix}-latency",
            self._args.names.shared("alarm-events-latency"),
            Monitored(name="events", alarms=[EVENT_LATENCY], dimensions={}),
            EVENT_LATENCY,
            topic_arn=self._args.regions[Place.PRIMARY].outputs.messaging.topic_arn,
            opts=self._child,
        )
        latency = aws.route53.HealthCheck(
            f"{self._prefix}-latency",
            type="CLOUDWATCH_METRIC",
            cloudwatch_alarm_name=alarm.name,
            cloudwatch_alarm_region=self._args.regions[Place.PRIMARY].region,
            # What goes with an alarm that treats missing data as missing [EVENTS-6].
            insufficient_data_health_status="LastKnownStatus",
            triggers={
                "evaluation_periods": str(EVENT_LATENCY.evaluation_periods),
                "period": str(EVENT_LATENCY.period),
                "threshold": str(EVENT_LATENCY.threshold),
            },
            tags={"Name": self._args.names.shared("health-events-latency")},
            opts=self._child,
        )
        return aws.route53.HealthCheck(
            f"{self._prefix}-primary",
            type="CALCULATED",
            child_healthchecks=[latency.id, self._args.nlb_check_id],
            child_health_threshold=2,
            tags={"Name": self._args.names.shared("health-events-primary")},
            opts=self._child,
        )


def endpoint_id(url: str) -> str:
    """The part of an endpoint's URL that PutEvents accepts: `abcde.veo` of `https://abcde.veo.endpoint.events...` (API
    EventBridge.PutEvents). Raises ValueError for another kind of URL."""
    host, found, _ = url.removeprefix("https://").partition(".endpoint.events.")
    if not found:
        raise ValueError(f"{url} is not the URL of an event endpoint")
    return host


def _statements(role_arn: pulumi.Output[str], args: EventEndpointArgs) -> list[dict[str, Any]]:
    """Permissions for replication [EVENTS-5] and for rules on a bus with a customer managed key [EVENTS-11]."""
    managed_rules = [
        pulumi.Output.concat(
            f"arn:aws:events:{region.region}:",
            region.outputs.account,
            f":rule/{args.names.bus}/GlobalEndpointManagedRule-*",
        )
        for region in args.regions.values()
    ]
    return [
        iam.allow(["events:PutRule", "events:PutTargets", "events:DeleteRule", "events:RemoveTargets"], managed_rules),
        iam.allow(["events:PutEvents"], [region.outputs.messaging.bus_arn for region in args.regions.values()]),
        iam.allow(
            ["iam:PassRole"], [role_arn], condition={"StringEquals": {"iam:PassedToService": "events.amazonaws.com"}}
        ),
        iam.allow(["kms:Decrypt"], [region.outputs.storage.data_key_arn for region in args.regions.values()]),
    ]


@dataclass(frozen=True, kw_only=True)
class EventBusArgs:
    name: str
    key_arn: pulumi.Input[str]
    dead_letter_arn: pulumi.Input[str]


class EventBus(pulumi.ComponentResource):
    """An event bus, by the same name in both regions, as a global endpoint requires [EVENTS-1], and encrypted with the
    region's key. An event that crosses to the other bus travels in TLS and is encrypted there
    with that region's key. Such a bus cannot have schema discovery [EVENTS-10]."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, name: str, args: EventBusArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:event_bus:EventBus", name, None, opts)
        bus = aws.cloudwatch.EventBus(
            f"{name}-bus",
            name=args.name,
            description="Payments, in both regions by this name",
            kms_key_identifier=args.key_arn,
            # Keeps events that could not be encrypted or decrypted [EVENTS-9].
            dead_letter_config={"arn": args.dead_letter_arn},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name, self.arn = bus.name, bus.arn
        self.register_outputs({"name": self.name, "arn": self.arn})


def bus_arn(region: str, account: pulumi.Input[str], name: str) -> pulumi.Output[str]:
    """The ARN that a bus will have: for policies that must stand before the bus does."""
    return pulumi.Output.concat(f"arn:aws:events:{region}:", account, f":event-bus/{name}")
