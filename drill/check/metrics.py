"""Reading one CloudWatch metric of the last minutes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_PERIOD = 60


def latest(
    cloudwatch: Any,
    namespace: str,
    metric: str,
    dimensions: Mapping[str, str],
    statistic: str,
    *,
    minutes: int = 15,
    period: int = _PERIOD,
) -> list[float]:
    """The data points of the last `minutes`, newest first; none if the metric is silent. Raises ClientError."""
    now = datetime.now(UTC)
    query = {
        "Id": "looked",
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            },
            "Period": period,
            "Stat": statistic,
        },
    }
    answer = cloudwatch.get_metric_data(
        StartTime=now - timedelta(minutes=minutes),
        EndTime=now,
        ScanBy="TimestampDescending",
        MetricDataQueries=[query],
    )
    return [float(value) for result in answer["MetricDataResults"] for value in result["Values"]]
