"""The Lambda function `parameter_sync`: keeps the parameters below a prefix equal in two regions, in both directions.

It handles change events from its queue, a scheduled reconciliation, and the commands of `ops.parameters`; the handler
string is `parameter_sync.handler.handler`. The order by which both regions decide is in
docs/decisions/0008-parameters-in-two-regions.md. Which resources feed the queue belongs to `components/workload`.
"""
