"""CloudWatch's metric alarms, evaluated in AWS time against the metrics that are there; composites follow them.

ministack evaluates whenever a metric is written, with all dimensions thrown together and without a clock. That is
switched off, and states are set here as SetAlarmState does, so that history, composite alarms and SNS actions follow.
Periods are cut in AWS time and looked up in the machine's: datapoints bear its Unix time. So a period during which
the speed changes has the datapoints of exactly its AWS seconds.
Left out, and refused when asked for: metric math, anomaly bands.
"""

import asyncio
import itertools
import json
import logging
from typing import Any

from localaws import hooks
from localaws.alarm_state import INSUFFICIENT_DATA, Rule, Verdict, judge
from localaws.clock import Clock
from localaws.control import Control
from localaws.gate import Gate
from localaws.hooks.services import AwsRefusal, JsonCall

# AWS seconds: CloudWatch looks at alarms every minute, at those on high-resolution metrics every 10 seconds
# [CW-6].
_MINUTE = 60.0
_LOOK = 5.0  # AWS seconds between two looks at what is due
_SHORTEST_LOOK = 0.05  # seconds of this machine, however fast AWS time runs

Alarm = tuple[str, str, str]  # account, region, name
logger = logging.getLogger(__name__)


class Alarms:
    """A part of the server. Everything runs in the event loop, as the emulator itself does."""

    def __init__(self, clock: Clock, gate: Gate) -> None:
        self._clock = clock
        self._gate = gate
        self._evaluated: dict[Alarm, tuple[int, int]] = {}  # its last change, and the last step it was evaluated in
        self._task: asyncio.Task[None] | None = None

    def install(self, control: Control) -> None:
        hooks.cloudwatch.stop_alarm_evaluation()
        hooks.services.answer_json_actions("cloudwatch", {"PutMetricAlarm": self._check}, self._evaluated.clear)
        control.section("alarms", self.status)

    async def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="alarms")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def status(self) -> list[dict[str, Any]]:
        """The alarms that are not OK."""
        return [
            {"region": region, "name": name, "state": record["StateValue"], "reason": record["StateReason"]}
            for (_, region, name), record in sorted(hooks.cloudwatch.alarm_records().items())
            if record["StateValue"] != "OK"
        ]

    def look(self) -> None:
        """Evaluate every alarm whose next step of time has come."""
        records = hooks.cloudwatch.metric_alarm_records()
        for gone in self._evaluated.keys() - records.keys():
            del self._evaluated[gone]
        for alarm, record in records.items():
            if self._gate.is_lost(alarm[1]):
                continue
            step = int(self._clock.now() / _step(record))
            changed = record["AlarmConfigurationUpdatedTimestamp"]
            known, last = self._evaluated.get(alarm, (None, 0))
            if known != changed:
                # What a new or changed alarm watches has one whole step to report before silence counts.
                self._evaluated[alarm] = (changed, step + 1)
            elif step > last:
                self._evaluated[alarm] = (changed, step)
                self._evaluate(alarm, record, step)

    async def _run(self) -> None:
        while True:
            try:
                self.look()
            except Exception:
                logger.exception("alarms could not be evaluated")
            await self._clock.sleep(_LOOK, least=_SHORTEST_LOOK)

    def _evaluate(self, alarm: Alarm, record: dict[str, Any], step: int) -> None:
        verdict = self._verdict(alarm, record, step)
        if verdict.state is not None and verdict.state != record["StateValue"]:
            logger.info("alarm %s in %s is %s: %s", alarm[2], alarm[1], verdict.state, verdict.reason)
            about = {"version": "1.0", "period": record["Period"], "threshold": record["Threshold"]}
            hooks.cloudwatch.set_alarm_state(*alarm, verdict.state, verdict.reason, json.dumps(about))

    def _verdict(self, alarm: Alarm, record: dict[str, Any], step: int) -> Verdict:
        try:
            rule = Rule.of(record)
            return judge(rule, self._datapoints(alarm, record, rule.evaluation_range, step))
        except ValueError as problem:
            return Verdict(INSUFFICIENT_DATA, str(problem))

    def _datapoints(self, alarm: Alarm, record: dict[str, Any], periods: int, step: int) -> list[float | None]:
        """One value per period up to the last whole step of time, the oldest first."""
        end, period = step * _step(record), record["Period"]
        edges = [self._clock.unix(end - age * period) for age in reversed(range(periods + 1))]
        account, region, _ = alarm
        return [
            hooks.cloudwatch.metric_value(
                account,
                region,
                namespace=record["Namespace"],
                metric=record["MetricName"],
                dimensions={pair["Name"]: pair["Value"] for pair in record["Dimensions"]},
                statistic=record.get("ExtendedStatistic") or record["Statistic"],
                unit=record.get("Unit"),
                start=begins,
                end=ends,
            )
            for begins, ends in itertools.pairwise(edges)
        ]

    def _check(self, call: JsonCall) -> None:
        """Refuse what could never be evaluated here; the emulator would take it and stay silent."""
        if call.parameters.get("Metrics"):
            raise AwsRefusal("InvalidParameterCombination", "The embedded AWS evaluates no metric math.")
        if call.parameters.get("ThresholdMetricId") or "Threshold" not in call.parameters:
            raise AwsRefusal("InvalidParameterCombination", "The embedded AWS evaluates no anomaly bands.")


def _step(record: dict[str, Any]) -> float:
    """AWS seconds between two evaluations."""
    return min(_MINUTE, float(record["Period"]))
