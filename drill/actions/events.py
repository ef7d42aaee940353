"""Events published through the global endpoint, and a queue in each region that receives what reaches its bus."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from drill.model.context import Change, DrillContext
from drill.model.errors import ActionError
from drill.observe.aws import changing, is_refused
from shared.deployment import Deployment
from shared.naming import Names
from shared.places import Place

SOURCE = "drill"
_TARGET = "drill"
_KEPT_SECONDS = "3600"


@dataclass(frozen=True)
class SubscribeEvents:
    """Send the drill's events on each region's bus to a queue of the drill's own."""

    place: None = None

    name: ClassVar[str] = "subscribe a queue to each region's bus"

    @property
    def rollback(self) -> Change:
        return UnsubscribeEvents()

    async def do(self, ctx: DrillContext) -> str:
        for place in Place:
            await asyncio.to_thread(_subscribe, ctx.deployment, place)
        return listener(ctx.deployment)


@dataclass(frozen=True)
class UnsubscribeEvents:
    place: None = None

    name: ClassVar[str] = "delete the queues and rules on both buses"
    rollback: ClassVar[None] = None

    async def do(self, ctx: DrillContext) -> str:
        for place in Place:
            await asyncio.to_thread(_unsubscribe, ctx.deployment, place)
        return ""


@dataclass(frozen=True)
class PublishEvents:
    """Publish through the endpoint at intervals, as services would while it fails over to the other region."""

    mark: str  # that distinguishes them from other events of the run
    times: int = 1
    apart_aws_seconds: float = 0.0
    place: None = None

    rollback: ClassVar[None] = None

    @property
    def name(self) -> str:
        return f"publish {self.times} events through the endpoint: {self.mark}"

    async def do(self, ctx: DrillContext) -> str:
        for number in range(self.times):
            if number:
                await ctx.pause(self.apart_aws_seconds)
            await asyncio.to_thread(_publish, ctx.deployment, self.mark)
        return f"{self.times} accepted"


def listener(deployment: Deployment) -> str:
    """The name of the queue and of the rule that fills it, in both regions."""
    return Names(deployment.suffix).shared("drill-events")


def bus(deployment: Deployment, place: Place) -> str:
    return deployment.cell(place).messaging.bus_arn.rpartition("/")[2]


def queue_url(deployment: Deployment, place: Place) -> str:
    """Raises ClientError."""
    return str(deployment.client("sqs", place).get_queue_url(QueueName=listener(deployment))["QueueUrl"])


def _subscribe(deployment: Deployment, place: Place) -> None:
    name, region = listener(deployment), deployment.region(place)
    with changing(f"the bus in {region} cannot be subscribed to"):
        sqs, events = deployment.client("sqs", place), deployment.client("events", place)
        arn = f"arn:{deployment.cell(place).messaging.bus_arn.split(':')[1]}:sqs:{region}:{deployment.account}:{name}"
        rule = events.put_rule(
            Name=name,
            EventBusName=bus(deployment, place),
            EventPattern=json.dumps({"source": [SOURCE]}),
            Description="Created by a drill, which deletes it when it ends",
        )["RuleArn"]
        attributes = {"MessageRetentionPeriod": _KEPT_SECONDS, "Policy": json.dumps(_policy(arn, rule))}
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        sqs.purge_queue(QueueUrl=url)  # of an earlier drill, if that could not delete it
        events.put_targets(Rule=name, EventBusName=bus(deployment, place), Targets=[{"Id": _TARGET, "Arn": arn}])


def _policy(queue: str, rule: str) -> dict[str, Any]:
    """Lets a rule send to a queue [EVENTS-15]."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _unsubscribe(deployment: Deployment, place: Place) -> None:
    name, where = listener(deployment), bus(deployment, place)
    with changing(f"the drill's rule and queue in {deployment.region(place)} could not be deleted"):
        events, sqs = deployment.client("events", place), deployment.client("sqs", place)
        try:
            events.remove_targets(Rule=name, EventBusName=where, Ids=[_TARGET])
            events.delete_rule(Name=name, EventBusName=where)
        except ClientError as error:
            if not is_refused(error, "ResourceNotFoundException"):
                raise
        try:
            sqs.delete_queue(QueueUrl=queue_url(deployment, place))
        except ClientError as error:
            if not is_refused(error, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"):
                raise


def _publish(deployment: Deployment, mark: str) -> None:
    entry = {
        "Source": SOURCE,
        "DetailType": "drill.event",
        "Detail": json.dumps({"mark": mark}),
        "EventBusName": bus(deployment, Place.PRIMARY),
    }
    with changing("the event endpoint accepted no event"):
        answer = deployment.client("events", Place.SECONDARY).put_events(
            EndpointId=deployment.global_outputs.event_endpoint_id, Entries=[entry]
        )
        if answer.get("FailedEntryCount"):
            raise ActionError(f"the event endpoint accepted no event: {answer['Entries'][0].get('ErrorCode')}")
