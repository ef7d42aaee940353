"""Cross-region wiring per region (global stack): stream mapping, schedules, endpoint parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.compute.schedule import ScheduledCall, ScheduledCallArgs
from components.monitoring import catalogue_compute
from components.monitoring.alarms import Monitored, metric_alarm
from components.storage.journal_table import Journal
from components.workload.announcer import NAME as ANNOUNCER
from components.workload.announcer import SWEEP
from shared.places import Place
from shared.references import Regions
from shared.settings import GlobalSettings

# A batch is one statement of the database (functions/ledger/database.py, CHUNK).
BATCH = 500
# Seconds. Records of two seconds share one invocation, one read of the control records, one statement and one call of
# the announcer, instead of paying for each payment; a payment reaches the ledger up to two seconds later.
BATCHING_WINDOW = 2


@dataclass(frozen=True, kw_only=True)
class RegionLinksArgs:
    settings: GlobalSettings
    regions: Regions
    place: Place  # of the region that is linked to the other one
    journal: Journal
    event_endpoint_id: pulumi.Input[str]


class RegionLinks(pulumi.ComponentResource):
    """The stream mapping of the ledger, the schedules of ledger, announcer and sentinel, and the endpoint parameters.
    Created in the region whose provider is given. Without it a region accepts payments, but neither posts them nor
    monitors the other."""

    def __init__(self, name: str, args: RegionLinksArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:region:RegionLinks", name, None, opts)
        self._prefix, self._args, self._names = name, args, args.settings.names
        self._child = pulumi.ResourceOptions(parent=self)
        self._functions = args.regions[args.place].outputs.compute.functions
        addresses = self._addresses()
        self._stream()
        # Not tried again: the next minute's call is worth more than a late one, or goes on where this one ended.
        self._every_minute(
            "sentinel",
            f"{name}-minute",
            schedule="schedule-sentinel",
            role="role-schedule",
            description="Invokes the sentinel every minute to monitor the peer region",
            after=addresses,
        )
        self._every_minute(
            "ledger",
            f"{name}-catch-up",
            schedule="schedule-catch-up",
            role="role-schedule-catch-up",
            description="Invokes the ledger every minute to post what the backlogs hold",
            payload={"operation": "catch-up"},
        )
        self._every_minute(
            ANNOUNCER,
            f"{name}-sweep",
            schedule="schedule-sweep",
            role="role-schedule-sweep",
            description="Invokes the announcer every minute to announce what is left",
            payload=SWEEP,
            after=addresses,
        )
        self._silent("sentinel", f"{name}-silent")
        self._silent(ANNOUNCER, f"{name}-sweep-silent")
        self.register_outputs({})

    def _every_minute(
        self,
        function: str,
        resource: str,
        *,
        schedule: str,
        role: str,
        description: str,
        payload: Mapping[str, Any] | None = None,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        """A schedule that invokes `function`; `schedule` and `role` are kinds of names."""
        region, place = self._args.regions[self._args.place], self._args.place
        ScheduledCall(
            resource,
            ScheduledCallArgs(
                name=self._names.regional(schedule, place),
                role_name=self._names.regional(role, place),
                description=description,
                expression="rate(1 minutes)",
                region=region.region,
                account=region.outputs.account,
                function_arn=self._functions[function].arn,
                key_arn=region.outputs.storage.data_key_arn,
                dead_letter_arn=region.outputs.messaging.dead_letter_arn,
                payload=payload,
            ),
            after=after,
            opts=self._child,
        )

    def _silent(self, function: str, resource: str) -> None:
        """The alarm for when the schedule does not invoke `function`."""
        alarm = catalogue_compute.SCHEDULED[function]
        metric_alarm(
            resource,
            self._names.regional(f"alarm-{function}-silent", self._args.place),
            Monitored(name=function, alarms=[alarm], dimensions={"function": self._functions[function].name}),
            alarm,
            topic_arn=self._args.regions[self._args.place].outputs.messaging.topic_arn,
            opts=self._child,
        )

    def _addresses(self) -> list[pulumi.Resource]:
        values: dict[str, pulumi.Input[str]] = {self._names.event_endpoint_parameter: self._args.event_endpoint_id}
        for region in self._args.regions.values():
            ingress, prefix = region.outputs.ingress, f"{self._names.endpoints}/{region.region}"
            if self._args.settings.nat != "none":
                values[f"{prefix}/load-balancer"] = pulumi.Output.concat("https://", ingress.nlb_dns_name)
                values[f"{prefix}/api"] = ingress.api_url
            else:
                # Without NAT a function reaches only the ALB, from inside (docs/decisions/0002-private-ways-to-aws.md).
                values[f"{prefix}/load-balancer"] = pulumi.Output.concat("https://", ingress.alb_dns_name)
                values[f"{prefix}/api"] = values[f"{prefix}/load-balancer"]
        return [
            aws.ssm.Parameter(
                f"{self._prefix}{path.removeprefix(self._names.own_parameters).replace('/', '-')}",
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
            function_name=self._functions["ledger"].name,
            event_source_arn=self._args.journal.stream_arns[self._args.place],
            starting_position="TRIM_HORIZON",
            batch_size=BATCH,
            maximum_batching_window_in_seconds=BATCHING_WINDOW,
            function_response_types=["ReportBatchItemFailures"],
            bisect_batch_on_function_error=True,
            # Without end: the ledger decides for how long it gives a batch back, and then records it in its backlog.
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
