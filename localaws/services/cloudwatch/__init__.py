"""CloudWatch: evaluation of metric alarms, and the metrics that AWS services publish. ministack stores metrics."""
