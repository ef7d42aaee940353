"""CloudWatch: alarms, the metrics they watch, and the queues behind some of them."""

import time
from typing import Any

from localaws.emulator.patches import patch


def stop_alarm_evaluation() -> None:
    """Let no alarm change its state by ministack's own evaluation, which ignores dimensions and the clock."""
    patch("services.cloudwatch:_evaluate_alarm", lambda _original, _alarm: None)
    patch("services.cloudwatch:_evaluate_all_alarms", lambda _original: None)


def metric_alarm_records() -> dict[tuple[str, str, str], dict[str, Any]]:
    """Metric alarms of all accounts, in the API's own field names, by account, region and name."""
    from ministack.services import cloudwatch

    return dict(cloudwatch._alarms.all_items())


def alarm_records() -> dict[tuple[str, str, str], dict[str, Any]]:
    """Metric alarms and composite ones."""
    from ministack.services import cloudwatch

    return {**metric_alarm_records(), **dict(cloudwatch._composite_alarms.all_items())}


def set_alarm_state(account: str, region: str, name: str, state: str, reason: str, reason_data: str) -> None:
    """SetAlarmState, with everything that follows from it."""
    from ministack.core.responses import request_scope
    from ministack.services import cloudwatch

    wanted = {"AlarmName": name, "StateValue": state, "StateReason": reason, "StateReasonData": reason_data}
    with request_scope(account, region):
        cloudwatch._set_alarm_state({}, wanted, False, True)


def metric_value(
    account: str,
    region: str,
    *,
    namespace: str,
    metric: str,
    dimensions: dict[str, str],
    statistic: str,
    unit: str | None,
    start: float,
    end: float,
) -> float | None:
    """A statistic of exactly this metric from `start` up to `end` (seconds since 1970); None without data.

    Raises ValueError for a statistic that is not known.
    """
    from ministack.services import cloudwatch

    if statistic not in ("Average", "Maximum", "Minimum", "SampleCount", "Sum") and not cloudwatch._is_percentile_stat(
        statistic
    ):
        raise ValueError(f"statistic {statistic} is not emulated")
    key = (namespace, metric, cloudwatch._dims_key(dimensions))
    points = [
        point
        for point in cloudwatch._metrics.get_scoped(account, region, key, ())
        if start <= point["Timestamp"] < end and unit in (None, point["Unit"])
    ]
    stats = cloudwatch._calc_stats(points)
    value = cloudwatch._stat_value(stats, statistic, points) if stats else None
    return None if value is None else float(value)


def record_metric(
    account: str, region: str, namespace: str, name: str, value: float, dimensions: dict[str, str]
) -> None:
    """A datapoint of now, as a service reports it."""
    from ministack.core.responses import request_scope
    from ministack.services import cloudwatch

    with request_scope(account, region):
        cloudwatch.record_metric(namespace, name, value, dimensions=dimensions)


def waiting_messages() -> list[tuple[str, str, str, int]]:
    """(account, region, queue name, messages that can be received now) of every queue."""
    from ministack.services import sqs

    now = time.time()
    return [
        (account, region, queue["name"], sum(message["visible_at"] <= now for message in queue["messages"]))
        for (account, region, _), queue in sqs._queues.all_items()
    ]
