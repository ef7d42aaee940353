"""A region's functions, and the state machines that some of them work for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pulumi

from components.compute.function import Function
from components.compute.state_machine import StateMachine, StateMachineArgs
from components.failover.failback import FailbackArgs, failback_definition
from components.failover.failover import FailoverArgs, failover_definition
from components.workload.context import Cell
from components.workload.health import health_function
from components.workload.ledger import ledger_function
from components.workload.payments import payments_function
from components.workload.recovery import recovery_function
from components.workload.region_switch_steps import region_switch_steps
from components.workload.sentinel import sentinel_function


@dataclass(frozen=True, kw_only=True)
class RegionFunctionsArgs:
    cell: Cell
    client_keys: Mapping[str, pulumi.Input[str]] = field(default_factory=dict, repr=False)  # by client


class RegionFunctions(pulumi.ComponentResource):
    """Payments come in by `payments` and go on to the database by `ledger`; `health` answers for the region; `sentinel`
    watches the other region, and the state machines, whose steps are `recovery`'s, take over from it and bring it
    back."""

    payments: Function
    health: Function
    ledger: Function
    recovery: Function
    sentinel: Function
    plan_steps: dict[str, Function]  # of the Region switch plan, by step; empty without one
    failover: StateMachine
    failback: StateMachine

    def __init__(self, name: str, args: RegionFunctionsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:region:RegionFunctions", name, None, opts)
        self._cell, self._child = args.cell, pulumi.ResourceOptions(parent=self)
        self.payments = payments_function(args.cell, client_keys=args.client_keys, opts=self._child)
        self.health = health_function(args.cell, opts=self._child)
        self.ledger = ledger_function(args.cell, opts=self._child)
        self.recovery = recovery_function(args.cell, opts=self._child)
        asks = args.cell.settings.approval == "manual"
        self.failover = self._machine(
            "failover",
            {"recovery": self.recovery, "ledger": self.ledger},
            lambda arns: failover_definition(
                FailoverArgs(recovery_arn=arns["recovery"], ledger_arn=arns["ledger"], ask_first=asks)
            ),
        )
        self.failback = self._machine(
            "failback",
            {"recovery": self.recovery},
            lambda arns: failback_definition(FailbackArgs(recovery_arn=arns["recovery"])),
        )
        self.sentinel = sentinel_function(args.cell, failover=self.failover, failback=self.failback, opts=self._child)
        self.plan_steps = region_switch_steps(args.cell, opts=self._child) if args.cell.settings.region_switch else {}
        self.register_outputs({"failover_arn": self.failover.arn, "failback_arn": self.failback.arn})

    @property
    def all(self) -> list[Function]:
        return [self.payments, self.health, self.ledger, self.recovery, self.sentinel, *self.plan_steps.values()]

    @property
    def probers(self) -> list[Function]:
        """Those that ask the doors of both regions how they are."""
        return [self.sentinel, self.recovery, *self.plan_steps.values()]

    def _machine(
        self, name: str, functions: Mapping[str, Function], define: Callable[[Mapping[str, str]], str]
    ) -> StateMachine:
        cell = self._cell
        return StateMachine(
            name,
            StateMachineArgs(
                name=cell.names.regional(name, cell.place),
                region=cell.region,
                account=cell.account,
                define=define,
                functions={each: function.arn for each, function in functions.items()},
                key_arn=cell.key_arn,
                log_retention_days=cell.settings.log_retention_days,
            ),
            opts=self._child,
        )
