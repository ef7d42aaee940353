"""SNS topics, SQS dead-letter queues, EventBridge buses and the global event endpoint. Queues and rules of a single
function are with that function in `components.workload`.
"""
