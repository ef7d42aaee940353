"""A region's functions, and the state machines that some of them work for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pulumi

from components.compute.function import Function
from components.compute.state_machine import StateMachine, StateMachineArgs
from components.failover.failover import failback_definition, failover_definition
from components.monitoring import catalogue_compute, catalogue_data
from components.monitoring.alarms import Monitored
from components.workload.announcer import NAME as ANNOUNCER
from components.workload.announcer import announcer_function
from components.workload.context import FunctionContext
from components.workload.health import health_function
from components.workload.ledger import ledger_function
from components.workload.parameter_sync import ParameterSync, ParameterSyncArgs
from components.workload.payments import payments_function
from components.workload.recovery import recovery_function, region_switch_steps
from components.workload.sentinel import sentinel_function
from shared.concurrency import LEAST_LIMIT, reserves
from shared.functions import FUNCTIONS
from shared.outputs import ComputeOutputs
from shared.references import TextInput, TextsInput


@dataclass(frozen=True, kw_only=True)
class RegionFunctionsArgs:
    context: FunctionContext
    client_keys: Mapping[str, pulumi.Input[str]] = field(default_factory=dict, repr=False)  # by client


class RegionFunctions(pulumi.ComponentResource):
    """Payments arrive at `payments`, reach the database through `ledger` and EventBridge through `announcer`; `health`
    answers for the region; `sentinel` monitors the other region and starts the failover state machine, whose steps
    `recovery` carries out; `parameter_sync` copies parameters between the regions."""

    by_name: dict[str, Function]  # all of the catalogue, and the steps of a Region switch plan
    probers: list[Function]  # those that call the health endpoints of both regions
    monitored: list[Monitored]
    outputs: ComputeOutputs[TextInput, TextsInput]

    def __init__(self, name: str, args: RegionFunctionsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:region:RegionFunctions", name, None, opts)
        self._context, self._child = args.context, pulumi.ResourceOptions(parent=self)
        limit = args.context.settings.lambda_concurrency
        if not reserves(limit):
            pulumi.warn(
                f"functions:accountConcurrency is {limit}: nothing is reserved, and load on payments can starve health "
                f"checks and a failover; request a quota of {LEAST_LIMIT} or more (docs/quotas.md), and set it"
            )
        payments = payments_function(args.context, client_keys=args.client_keys, opts=self._child)
        health = health_function(args.context, opts=self._child)
        ledger = ledger_function(args.context, opts=self._child)
        announcer = announcer_function(args.context, opts=self._child)
        recovery = recovery_function(args.context, opts=self._child)
        failover = self._machine(
            "failover",
            {"recovery": recovery, "ledger": ledger},
            lambda arns: failover_definition(
                recovery_arn=arns["recovery"],
                ledger_arn=arns["ledger"],
                needs_approval=args.context.settings.approval == "manual",
            ),
        )
        failback = self._machine(
            "failback",
            {"recovery": recovery},
            lambda arns: failback_definition(arns["recovery"]),
        )
        sentinel = sentinel_function(args.context, failover=failover, failback=failback, opts=self._child)
        steps = region_switch_steps(args.context, opts=self._child) if args.context.settings.region_switch else []
        parameters = ParameterSync("parameters", ParameterSyncArgs(context=args.context), opts=self._child)

        made = [payments, health, ledger, announcer, recovery, sentinel, *steps, parameters.function]
        self.by_name = {each.label: each for each in made}
        self.probers = [sentinel, recovery, *steps]
        self.monitored = [
            *(each.monitored for each in made),
            *parameters.monitored_queues,
            Monitored(
                name="announcements",
                alarms=catalogue_compute.ANNOUNCEMENTS,
                dimensions={"function": ANNOUNCER},
                namespace=args.context.metrics_namespace,
            ),
            Monitored(
                name="survivor",
                alarms=catalogue_compute.SURVIVOR,
                dimensions={"function": "sentinel"},
                namespace=args.context.metrics_namespace,
            ),
            Monitored(
                name="backlog",
                alarms=catalogue_compute.BACKLOG,
                dimensions={"function": "ledger"},
                namespace=args.context.metrics_namespace,
            ),
            Monitored(
                name="journal-replicas",
                alarms=catalogue_data.JOURNAL_REPLICAS,
                dimensions={"function": "ledger"},
                namespace=args.context.metrics_namespace,
            ),
            Monitored(
                name="ledger-audit",
                alarms=catalogue_data.LEDGER_AUDIT,
                dimensions={"function": "ledger"},
                namespace=args.context.metrics_namespace,
            ),
            *(
                Monitored(name=machine, alarms=catalogue_compute.STATE_MACHINE, dimensions={"machine": arn})
                for machine, arn in (("failover", failover.arn), ("failback", failback.arn))
            ),
        ]
        self.outputs = ComputeOutputs(
            functions={each: self.by_name[each].outputs for each in FUNCTIONS},
            failover_arn=failover.arn,
            failback_arn=failback.arn,
        )
        self.register_outputs({"failover_arn": failover.arn, "failback_arn": failback.arn})

    def _machine(
        self, name: str, functions: Mapping[str, Function], define: Callable[[Mapping[str, str]], str]
    ) -> StateMachine:
        context = self._context
        return StateMachine(
            name,
            StateMachineArgs(
                name=context.names.regional(name, context.place),
                region=context.region,
                account=context.account,
                define=define,
                functions={each: function.arn for each, function in functions.items()},
                key_arn=context.key_arn,
                log_retention_days=context.settings.log_retention_days,
            ),
            opts=self._child,
        )
