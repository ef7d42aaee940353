"""The Lambda function `health`: answers `GET /health` for its region.

It is a function of its own, so that requests which use up the workload's concurrency do not make health checks fail
(docs/decisions/0010-health-is-a-function-of-its-own.md). API Gateway and the load balancer both send it their requests
for `/health`. Lambda's handler string is `health.handler.handler`.
"""
