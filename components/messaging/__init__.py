"""SNS topics, SQS dead-letter queues, EventBridge buses and the global event endpoint."""
