"""Parameter synchronization between the regions: event rules, queues, schedule and the `parameter_sync` function.

Both regions have one each, and either copies both ways; why that ends by itself is in
docs/decisions/0008-parameters-in-two-regions.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam
from components.compute.function import Function
from components.compute.schedule import ScheduledCall, ScheduledCallArgs
from components.iam import tls_only
from components.messaging.dead_letter_queue import DeadLetterQueue, DeadLetterQueueArgs
from components.monitoring import catalogue_compute, catalogue_data
from components.monitoring.alarms import Monitored
from components.storage.parameters import OTHERS_CHANGE
from components.workload.context import FunctionContext
from shared.places import Place

STAMP = "dr:common"
"""The tag that our own function writes (functions/parameter_sync/parameter.py)."""


@dataclass(frozen=True, kw_only=True)
class EventRule:
    name: str
    description: str
    pattern: Mapping[str, Any]


def event_rules(context: FunctionContext) -> dict[str, EventRule]:
    """The rules by role. An event of either kind names one resource, so that the two conditions on it, one on the name
    and one on the ARN, both hold [EVENTS-12]."""
    names = context.names
    return {
        "changes": EventRule(
            name=names.regional("rule-parameters", context.place),
            description="Changes of parameters, but for the region's own",
            pattern={
                "source": ["aws.ssm"],
                "detail-type": ["Parameter Store Change"],
                "detail": {"name": [{"prefix": f"{names.parameters}/"}]},
                "resources": [{"anything-but": {"prefix": context.arn("ssm", f"parameter{names.own_parameters}/")}}],
            },
        ),
        "tags": EventRule(
            name=names.regional("rule-parameter-tags", context.place),
            description="Changes of parameters' tags, but for our own",
            pattern={
                "source": ["aws.tag"],
                "detail-type": ["Tag Change on Resource"],
                "detail": {"service": ["ssm"], "changed-tag-keys": [{"anything-but": [STAMP]}]},
                "resources": [{"prefix": context.arn("ssm", f"parameter{names.parameters}/")}],
            },
        ),
    }


def rule_arns(context: FunctionContext) -> list[pulumi.Output[str]]:
    """The ARNs that the rules will have: for policies that must stand before the rules do."""
    return [context.arn("events", f"rule/{rule.name}") for rule in event_rules(context).values()]


class ParameterEvents(pulumi.ComponentResource):
    """The rules, on the default bus, where AWS's own events arrive. Delivery is best effort [EVENTS-13]."""

    def __init__(
        self,
        name: str,
        context: FunctionContext,
        *,
        queue_url: pulumi.Input[str],
        queue_arn: pulumi.Input[str],
        dead_letter_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("dr:parameters:ParameterEvents", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        from_rules = {"ArnEquals": {"aws:SourceArn": rule_arns(context)}}
        events = iam.allow(["sqs:SendMessage"], [queue_arn], condition=from_rules)
        policy = aws.sqs.QueuePolicy(
            f"{name}-senders",
            queue_url=queue_url,
            policy=iam.document(
                [
                    tls_only("sqs:*", [queue_arn]),
                    {"Sid": "Events", "Principal": {"Service": "events.amazonaws.com"}, **events},
                ]
            ),
            opts=child,
        )
        for role, given in event_rules(context).items():
            rule = aws.cloudwatch.EventRule(
                f"{name}-{role}",
                name=given.name,
                description=given.description,
                event_pattern=pulumi.Output.json_dumps(given.pattern, sort_keys=True),
                opts=child,
            )
            aws.cloudwatch.EventTarget(
                f"{name}-{role}-queue",
                rule=rule.name,
                arn=queue_arn,
                retry_policy={"maximum_event_age_in_seconds": 3600, "maximum_retry_attempts": 20},
                dead_letter_config={"arn": dead_letter_arn},
                opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
            )
        self.register_outputs({})


Statement = dict[str, Any]
_ACTIONS = (
    "ssm:AddTagsToResource",
    "ssm:DeleteParameter",
    "ssm:GetParameter",
    "ssm:GetParameterHistory",
    "ssm:GetParameters",
    "ssm:LabelParameterVersion",
    "ssm:ListTagsForResource",
    "ssm:PutParameter",
    "ssm:RemoveTagsFromResource",
    "ssm:UnlabelParameterVersion",
)


def statements(
    context: FunctionContext, *, queue_arn: pulumi.Input[str], dead_letter_arn: pulumi.Input[str]
) -> list[Mapping[str, Any]]:
    """Both regions' parameters below the prefix and no region's own; both keys, by Parameter Store only; its queues."""
    regions = [context.region, context.peer]
    return [
        iam.allow(_ACTIONS, _parameters(context, context.names.parameters)),
        {"Effect": "Deny", "Action": list(_ACTIONS), "Resource": _parameters(context, context.names.own_parameters)},
        iam.allow(
            ["ssm:GetParameters", "ssm:PutParameter"],
            [
                context.arn(
                    "ssm",
                    f"parameter{context.names.parameter_deletions(place)}",
                    region=context.settings.region(place),
                )
                for place in (context.place, context.place.other)
            ],
        ),
        # A listing, which supports no resource-level permissions (Service Authorization Reference, AWS Systems
        # Manager).
        iam.allow(["ssm:DescribeParameters"], ["*"]),
        # Standard parameters are encrypted by KMS, advanced ones under a data key [SSM-1]. The other region's key is
        # known by its alias only.
        iam.allow(
            ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
            [context.arn("kms", "key/*", region=region) for region in regions],
            condition={
                "ForAnyValue:StringEquals": {"kms:ResourceAliases": [context.names.data_key_alias]},
                "StringEquals": {"kms:ViaService": [f"ssm.{region}.amazonaws.com" for region in regions]},
            },
        ),
        iam.allow(
            [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            [queue_arn],
        ),
        iam.allow(["sqs:SendMessage"], [dead_letter_arn]),
    ]


def _parameters(context: FunctionContext, path: str) -> list[pulumi.Output[str]]:
    return [context.arn("ssm", f"parameter{path}/*", region=region) for region in (context.region, context.peer)]


SOURCE = "parameter_sync"
SERVICE = "parameter-sync"
"""The function's name in its metrics (functions/parameter_sync/application.py)."""
TIMEOUT = 300
"""Seconds: a part of a reconciliation; what is left goes on in the next run."""
# Six times the time limit, as Lambda recommends [LAMBDA-7]. Only after a crash it matters: the function itself sets
# when a message becomes visible again.
VISIBILITY = 6 * TIMEOUT
# Above the function's own attempts (functions/parameter_sync/settings.py), after which it writes a dead letter with the
# reason.
RECEIVES = 8
BATCH = 10
# The least that can be set (API Lambda.ScalingConfig): Parameter Store throttles long before Lambda does.
CONCURRENCY = 2
SETTING = "/ssm/parameter-store/high-throughput-enabled"


@dataclass(frozen=True, kw_only=True)
class ParameterSyncArgs:
    context: FunctionContext


class ParameterSync(pulumi.ComponentResource):
    """Changes arrive as events through a queue; a scheduled reconciliation finds those without an event."""

    function: Function
    dead_letters: DeadLetterQueue
    monitored_queues: list[Monitored]

    def __init__(self, name: str, args: ParameterSyncArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:parameters:ParameterSync", name, None, opts)
        self._prefix, self._context = name, args.context
        self._child = pulumi.ResourceOptions(parent=self)
        context, names = args.context, args.context.names
        self.dead_letters = DeadLetterQueue(
            f"{name}-dead",
            DeadLetterQueueArgs(
                name=names.regional("queue-parameters-dead", context.place),
                key_arn=context.key_arn,
                event_sources=rule_arns(context),
            ),
            opts=self._child,
        )
        queue = self._queue()
        self.function = context.function(
            SOURCE,
            description="Keeps parameters equal in both regions",
            environment={
                "PLACE": str(context.place),
                "PEER_REGION": context.peer,
                "PREFIX": names.parameters,
                "PRIVATE_PREFIX": names.own_parameters,
                "KEY_ALIAS": names.data_key_alias,
                # A role is called like its function (components.compute.function); by it our own writes are known.
                "COPIER_ROLES": ",".join(context.function_name(SOURCE, place) for place in Place),
                "QUEUE_URL": queue.url,
                "DEAD_LETTER_URL": self.dead_letters.url,
                "DELETIONS_PARAMETER": names.parameter_deletions(context.place),
                "PEER_DELETIONS_PARAMETER": names.parameter_deletions(context.place.other),
                "RECONCILE_MINUTES": str(context.settings.parameter_minutes),
                "METRICS_NAMESPACE": context.metrics_namespace,
            },
            statements=statements(context, queue_arn=queue.arn, dead_letter_arn=self.dead_letters.arn),
            timeout=TIMEOUT,
            opts=self._child,
        )
        self._deletions()
        ParameterEvents(
            f"{name}-events",
            context,
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
        # It defers messages and continues a reconciliation through its own queue, deliberately and with an end, which
        # Lambda would stop after 16 invocations [LAMBDA-20].
        aws.lambda_.FunctionRecursionConfig(
            f"{name}-recursion", function_name=self.function.name, recursive_loop="Allow", opts=self._child
        )
        self._reconciliation()
        if context.settings.parameter_throughput == "high":
            # A setting of the whole account in this region; it costs by the call.
            aws.ssm.ServiceSetting(f"{name}-throughput", setting_id=SETTING, setting_value="true", opts=self._child)
        self.monitored_queues = [
            Monitored(name="parameters", alarms=catalogue_compute.WORK_QUEUE, dimensions={"queue": queue.name}),
            Monitored(
                name="parameters-dead",
                alarms=catalogue_compute.DEAD_LETTER_QUEUE,
                dimensions={"queue": self.dead_letters.name},
            ),
            Monitored(
                name="parameter-deletions",
                alarms=catalogue_data.PARAMETER_DELETIONS,
                dimensions={"function": SERVICE},
                namespace=context.metrics_namespace,
            ),
        ]
        self.register_outputs({"function": self.function.name, "dead_letters": self.dead_letters.name})

    def _deletions(self) -> None:
        """The number of deletions in this region (functions/parameter_sync/deletions.py)."""
        aws.ssm.Parameter(
            f"{self._prefix}-deletions",
            name=self._context.names.parameter_deletions(self._context.place),
            description="Counts deletions by the parameter synchronization; its version is the number",
            type="String",
            insecure_value="none yet",
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=OTHERS_CHANGE),
        )

    def _queue(self) -> aws.sqs.Queue:
        redrive = {"deadLetterTargetArn": self.dead_letters.arn, "maxReceiveCount": RECEIVES}
        return aws.sqs.Queue(
            f"{self._prefix}-changes",
            name=self._context.names.regional("queue-parameters", self._context.place),
            visibility_timeout_seconds=VISIBILITY,
            kms_master_key_id=self._context.key_arn,
            redrive_policy=pulumi.Output.json_dumps(redrive, sort_keys=True),
            opts=self._child,
        )

    def _reconciliation(self) -> None:
        context, minutes = self._context, self._context.settings.parameter_minutes
        ScheduledCall(
            f"{self._prefix}-reconciliation",
            ScheduledCallArgs(
                name=context.names.regional("schedule-parameters", context.place),
                role_name=context.names.regional("role-schedule-parameters", context.place),
                description="Compares all parameters with the other region's",
                expression=reconciliation_schedule(context.place, minutes),
                region=context.region,
                account=context.account,
                function_arn=self.function.arn,
                key_arn=context.key_arn,
                dead_letter_arn=self.dead_letters.arn,
                payload={"operation": "reconcile"},
                # No more than one: the next one compares the same.
                retries=1,
                retry_seconds=300,
            ),
            opts=self._child,
        )


def reconciliation_schedule(place: Place, minutes: int) -> str:
    """The two regions take turns: at the same time each would repair the same. An increment of 60 minutes is left out:
    whether EventBridge Scheduler accepts one, is not documented."""
    first = 0 if place is Place.PRIMARY else minutes // 2
    return f"cron({first if minutes == 60 else f'{first}/{minutes}'} * * * ? *)"
