"""Alarm evaluation and the metrics that AWS services publish of themselves."""
