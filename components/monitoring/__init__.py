"""CloudWatch alarms and dashboards. The catalogue modules hold the alarms as data, by subject; which resources they
monitor is decided in `components.region.monitoring` and `components.global_stack.monitoring`.
"""
