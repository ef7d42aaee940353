"""Keeps the region's parameters equal to the other region's: what is told of changes, what handles them, what watches.

Both regions have one each, and either copies both ways; why that ends by itself is in
docs/decisions/0008-parameters-in-two-regions.md.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import alarms_compute, parameter_access
from components.alarm_model import Watched
from components.cell import Cell
from components.dead_letter_queue import DeadLetterQueue, DeadLetterQueueArgs
from components.function import Function
from components.parameter_events import ParameterEvents, ParameterEventsArgs
from components.scheduled_call import ScheduledCall, ScheduledCallArgs
from shared.places import Place

SOURCE = "parameter_sync"
TIMEOUT = 300
"""Seconds: a part of a reconciliation; what is left goes on in the next run."""
# Six times the time limit, as Lambda asks for [LAMBDA-7]. Only a crash waits for it: the function itself says when a
# message is to come again.
VISIBILITY = 6 * TIMEOUT
# Above the function's own attempts (functions/parameter_sync/settings.py), after which it says why in a dead letter.
RECEIVES = 8
BATCH = 10
# The least that can be set (API Lambda.ScalingConfig): Parameter Store throttles long before Lambda does.
CONCURRENCY = 2
SETTING = "/ssm/parameter-store/high-throughput-enabled"


@dataclass(frozen=True, kw_only=True)
class ParameterSyncArgs:
    cell: Cell


class ParameterSync(pulumi.ComponentResource):
    """Events tell of changes at once, through a queue; a schedule finds what no event told of."""

    function: Function
    dead_letters: DeadLetterQueue
    watched: list[Watched]

    def __init__(self, name: str, args: ParameterSyncArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:parameters:ParameterSync", name, None, opts)
        self._prefix, self._cell = name, args.cell
        self._child = pulumi.ResourceOptions(parent=self)
        cell, names = args.cell, args.cell.names
        events = ParameterEventsArgs(
            name=names.regional("rule-parameters", cell.place),
            region=cell.region,
            account=cell.account,
            prefix=names.parameters,
            private_prefix=names.own_parameters,
        )
        self.dead_letters = DeadLetterQueue(
            f"{name}-dead",
            DeadLetterQueueArgs(
                name=names.regional("queue-parameters-dead", cell.place),
                key_arn=cell.key_arn,
                event_sources=events.rule_arns,
            ),
            opts=self._child,
        )
        queue = self._queue()
        self.function = cell.function(
            SOURCE,
            description="Keeps parameters equal in both regions",
            environment={
                "PLACE": str(cell.place),
                "PEER_REGION": cell.peer,
                "PREFIX": names.parameters,
                "PRIVATE_PREFIX": names.own_parameters,
                "KEY_ALIAS": names.data_key_alias,
                # A role is called like its function (components.function); by it our own writes are known.
                "COPIER_ROLES": ",".join(cell.function_name(SOURCE, place) for place in Place),
                "QUEUE_URL": queue.url,
                "DEAD_LETTER_URL": self.dead_letters.url,
                "RECONCILE_MINUTES": str(cell.settings.parameter_minutes),
                "METRICS_NAMESPACE": names.once("dr"),
            },
            statements=parameter_access.statements(cell, queue_arn=queue.arn, dead_letter_arn=self.dead_letters.arn),
            timeout=TIMEOUT,
            opts=self._child,
        )
        ParameterEvents(
            f"{name}-events",
            events,
            queue_url=queue.url,
            queue_arn=queue.arn,
            dead_letter_arn=self.dead_letters.arn,
            opts=self._child,
        )
        aws.lambda_.EventSourceMapping(
            f"{name}-queue",
            function_name=self.function.name,
            event_source_arn=queue.arn,
            batch_size=BATCH,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": CONCURRENCY},
            opts=self._child,
        )
        self._reconciliation()
        if cell.settings.parameter_throughput == "high":
            # A setting of the whole account in this region; it costs by the call.
            aws.ssm.ServiceSetting(f"{name}-throughput", setting_id=SETTING, setting_value="true", opts=self._child)
        self.watched = self._watched(queue)
        self.register_outputs({"function": self.function.name, "dead_letters": self.dead_letters.name})

    def _queue(self) -> aws.sqs.Queue:
        redrive = {"deadLetterTargetArn": self.dead_letters.arn, "maxReceiveCount": RECEIVES}
        return aws.sqs.Queue(
            f"{self._prefix}-changes",
            name=self._cell.names.regional("queue-parameters", self._cell.place),
            visibility_timeout_seconds=VISIBILITY,
            kms_master_key_id=self._cell.key_arn,
            redrive_policy=pulumi.Output.json_dumps(redrive, sort_keys=True),
            opts=self._child,
        )

    def _reconciliation(self) -> None:
        cell, minutes = self._cell, self._cell.settings.parameter_minutes
        # The two regions take turns: at the same time each would repair the same.
        first = 0 if cell.place is Place.PRIMARY else minutes // 2
        ScheduledCall(
            f"{self._prefix}-reconciliation",
            ScheduledCallArgs(
                name=cell.names.regional("schedule-parameters", cell.place),
                role_name=cell.names.regional("role-schedule-parameters", cell.place),
                description="Compares all parameters with the other region's",
                expression=f"cron({first}/{minutes} * * * ? *)",
                region=cell.region,
                account=cell.account,
                function_arn=self.function.arn,
                key_arn=cell.key_arn,
                dead_letter_arn=self.dead_letters.arn,
                payload={"operation": "reconcile"},
                # No more than one: the next one compares the same.
                retries=1,
                retry_seconds=300,
            ),
            opts=self._child,
        )

    def _watched(self, queue: aws.sqs.Queue) -> list[Watched]:
        return [
            Watched(
                name=self.function.label,
                alarms=alarms_compute.ASYNC_FUNCTION,
                dimensions={"function": self.function.name},
                limits={"timeout_ms": TIMEOUT * 1000},
            ),
            Watched(name="parameters", alarms=alarms_compute.WORK_QUEUE, dimensions={"queue": queue.name}),
            Watched(
                name="parameters-dead",
                alarms=alarms_compute.DEAD_LETTER_QUEUE,
                dimensions={"queue": self.dead_letters.name},
            ),
        ]
