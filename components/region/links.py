"""Cross-region wiring per region (global stack): stream mapping, sentinel schedule, endpoint parameters."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.compute.schedule import ScheduledCall, ScheduledCallArgs
from components.monitoring import catalogue_compute
from components.monitoring.alarm import Watched
from components.monitoring.alarms import metric_alarm
from shared.naming import Names
from shared.places import Place

# A batch is one statement of the database or a few (functions/ledger/database.py, CHUNK).
BATCH = 100
# Seconds. Records of two seconds share one invocation, one look at the control records, one statement and one call of
# PutEvents, instead of paying for each payment; a payment reaches the ledger up to two seconds later.
BATCHING_WINDOW = 2


@dataclass(frozen=True, kw_only=True)
class EndpointUrls:
    """Base URLs of a region's endpoints, without `/health`."""

    load_balancer: pulumi.Input[str]
    api: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class RegionLinksArgs:
    place: Place
    region: str
    account: pulumi.Input[str]
    names: Names
    stream_arn: pulumi.Input[str]  # of the journal's replica in this region
    ledger: pulumi.Input[str]  # names and ARNs of the region's functions
    sentinel: pulumi.Input[str]
    sentinel_arn: pulumi.Input[str]
    dead_letter_arn: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    endpoints: Mapping[str, EndpointUrls]  # by region, both of them
    event_endpoint_id: pulumi.Input[str]


class RegionLinks(pulumi.ComponentResource):
    """The journal's stream into the ledger, the minute's call of the sentinel, and the addresses both ask for. Lives in
    the region whose provider it is given. Without it a region takes payments, and neither posts nor watches."""

    def __init__(self, name: str, args: RegionLinksArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:region:RegionLinks", name, None, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        addresses = self._addresses()
        self._stream()
        ScheduledCall(
            f"{name}-minute",
            ScheduledCallArgs(
                name=args.names.regional("schedule-sentinel", args.place),
                role_name=args.names.regional("role-schedule", args.place),
                description="Invokes the sentinel every minute to monitor the peer region",
                # Not tried again: the next minute's call is worth more than a late one.
                expression="rate(1 minutes)",
                region=args.region,
                account=args.account,
                function_arn=args.sentinel_arn,
                key_arn=args.key_arn,
                dead_letter_arn=args.dead_letter_arn,
            ),
            after=addresses,
            opts=self._child,
        )
        metric_alarm(
            f"{name}-silent",
            args.names.regional("alarm-sentinel-silent", args.place),
            Watched(
                name="sentinel", alarms=catalogue_compute.SCHEDULED_FUNCTION, dimensions={"function": args.sentinel}
            ),
            catalogue_compute.SCHEDULED_FUNCTION[0],
            topic_arn=args.topic_arn,
            opts=self._child,
        )
        self.register_outputs({})

    def _addresses(self) -> list[pulumi.Resource]:
        values: dict[str, pulumi.Input[str]] = {self._args.names.event_endpoint_parameter: self._args.event_endpoint_id}
        for region, urls in self._args.endpoints.items():
            values[f"{self._args.names.endpoints}/{region}/load-balancer"] = urls.load_balancer
            values[f"{self._args.names.endpoints}/{region}/api"] = urls.api
        return [
            aws.ssm.Parameter(
                f"{self._prefix}{path.removeprefix(self._args.names.own_parameters).replace('/', '-')}",
                name=path,
                type="String",
                value=value,
                opts=self._child,
            )
            for path, value in values.items()
        ]

    def _stream(self) -> None:
        aws.lambda_.EventSourceMapping(
            f"{self._prefix}-stream",
            function_name=self._args.ledger,
            event_source_arn=self._args.stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=BATCH,
            maximum_batching_window_in_seconds=BATCHING_WINDOW,
            function_response_types=["ReportBatchItemFailures"],
            bisect_batch_on_function_error=True,
            # Without end: a ledger that may not post gives its batch back until it may, and a limit would lose it.
            maximum_retry_attempts=-1,
            maximum_record_age_in_seconds=-1,
            filter_criteria={
                "filters": [
                    {
                        "pattern": (
                            '{"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "payment#"}]}}}, '
                            '"eventName": ["INSERT", "MODIFY"]}'
                        )
                    }
                ]
            },
            opts=self._child,
        )
