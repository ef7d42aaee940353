"""The Lambda function `health`: answers `GET /health` for its region; the handler string is `health.handler.handler`.

It is a function of its own, so that requests that exhaust the workload's concurrency do not fail health checks
(docs/decisions/0010-health-is-a-function-of-its-own.md). API Gateway and the load balancer both route `/health` to it.
Which state makes a region unhealthy is decided in `common.control.rules`, not here.
"""
