"""Events through the endpoint of the two buses, and queues that hear what reaches each bus."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from drill.model.change import Change, Surroundings
from drill.model.errors import ActionError
from drill.model.target import Site
from drill.observe.aws import changing, is_refused
from shared.naming import Names
from shared.places import Place

SOURCE = "drill"
_TARGET = "drill"
_KEPT_SECONDS = "3600"


@dataclass(frozen=True)
class Listen:
    """Have a queue of the drill's own in each region hear the events that a drill publishes."""

    place: None = None

    @property
    def name(self) -> str:
        return "listen to both buses"

    @property
    def undo(self) -> Change:
        return StopListening()

    async def do(self, around: Surroundings) -> str:
        for place in Place:
            await asyncio.to_thread(_listen, around.site, place)
        return listener(around.site)


@dataclass(frozen=True)
class StopListening:
    place: None = None

    @property
    def name(self) -> str:
        return "stop listening to the buses"

    @property
    def undo(self) -> None:
        return None

    async def do(self, around: Surroundings) -> str:
        for place in Place:
            await asyncio.to_thread(_stop, around.site, place)
        return ""


@dataclass(frozen=True)
class PublishEvents:
    """Publish through the endpoint again and again, as services would while it moves from one region to the other."""

    mark: str  # by which they are told from others of the run
    times: int = 1
    apart_aws_seconds: float = 0.0
    place: None = None

    @property
    def name(self) -> str:
        return f"publish {self.times} events through the endpoint: {self.mark}"

    @property
    def undo(self) -> None:
        return None

    async def do(self, around: Surroundings) -> str:
        for number in range(self.times):
            if number:
                await around.site.pause(self.apart_aws_seconds)
            await asyncio.to_thread(_publish, around.site, self.mark)
        return f"{self.times} taken"


def listener(site: Site) -> str:
    """The name of the queue and of the rule that fills it, in both regions."""
    return Names(site.whole.suffix).shared("drill-events")


def bus(site: Site, place: Place) -> str:
    return site.whole.cell(place).messaging.bus_arn.rpartition("/")[2]


def queue_url(site: Site, place: Place) -> str:
    """Raises ClientError."""
    return str(site.client("sqs", place).get_queue_url(QueueName=listener(site))["QueueUrl"])


def _listen(site: Site, place: Place) -> None:
    name, region = listener(site), site.region(place)
    with changing(f"the bus in {region} cannot be listened to"):
        sqs, events = site.client("sqs", place), site.client("events", place)
        arn = f"arn:{site.whole.cell(place).messaging.bus_arn.split(':')[1]}:sqs:{region}:{site.whole.account}:{name}"
        rule = events.put_rule(
            Name=name,
            EventBusName=bus(site, place),
            EventPattern=json.dumps({"source": [SOURCE]}),
            Description="A drill listens; it takes this away again",
        )["RuleArn"]
        attributes = {"MessageRetentionPeriod": _KEPT_SECONDS, "Policy": json.dumps(_policy(arn, rule))}
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        sqs.purge_queue(QueueUrl=url)  # of an earlier drill's, if that could not take it away
        events.put_targets(Rule=name, EventBusName=bus(site, place), Targets=[{"Id": _TARGET, "Arn": arn}])


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


def _stop(site: Site, place: Place) -> None:
    name, where = listener(site), bus(site, place)
    with changing(f"the drill's rule and queue in {site.region(place)} could not be taken away"):
        events, sqs = site.client("events", place), site.client("sqs", place)
        try:
            events.remove_targets(Rule=name, EventBusName=where, Ids=[_TARGET])
            events.delete_rule(Name=name, EventBusName=where)
        except ClientError as error:
            if not is_refused(error, "ResourceNotFoundException"):
                raise
        try:
            sqs.delete_queue(QueueUrl=queue_url(site, place))
        except ClientError as error:
            if not is_refused(error, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"):
                raise


def _publish(site: Site, mark: str) -> None:
    entry = {
        "Source": SOURCE,
        "DetailType": "drill.event",
        "Detail": json.dumps({"mark": mark}),
        "EventBusName": bus(site, Place.PRIMARY),
    }
    with changing("the event endpoint took no event"):
        answer = site.client("events", Place.SECONDARY).put_events(
            EndpointId=site.whole.global_outputs.event_endpoint_id, Entries=[entry]
        )
        if answer.get("FailedEntryCount"):
            raise ActionError(f"the event endpoint took no event: {answer['Entries'][0].get('ErrorCode')}")
