"""CloudWatch alarms and dashboards. The catalogue modules hold the alarms as data, by subject; which resources of a
region
they watch is decided in `components.region.monitoring`.
"""
