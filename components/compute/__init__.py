"""Lambda functions, state machines and schedules in general: code packages, layers, log groups, roles. What a
particular function is for belongs to `components.workload`."""
