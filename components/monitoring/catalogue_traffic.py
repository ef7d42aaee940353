"""Alarms on what brings traffic: API, load balancers, health checks, certificates."""

from components.monitoring.alarms import Alarm

_API = "[APIGW-8]"
_ALB = "[ALB-5]"
_NLB = "[NLB-5]"
_NO_CALLS = "no calls, no errors: a standby region has none"

API = (
    Alarm(
        key="5xx",
        namespace="AWS/ApiGateway",
        metric="5XXError",
        dimensions={"ApiName": "api", "Stage": "stage"},
        statistic="Average",  # errors divided by requests
        evaluation_periods=5,
        datapoints=3,
        threshold=0.05,
        comparison="GreaterThanThreshold",
        missing_reason=_NO_CALLS,
        reason="More than one API call in twenty fails on our side. See the access log and the function's alarms.",
        source=_API,
        urgent=True,
    ),
    Alarm(
        key="latency",
        namespace="AWS/ApiGateway",
        metric="Latency",
        dimensions={"ApiName": "api", "Stage": "stage"},
        statistic="p99",
        evaluation_periods=5,
        datapoints=3,
        threshold=3_000,  # milliseconds
        comparison="GreaterThanThreshold",
        missing_reason=_NO_CALLS,
        reason="The slowest API calls take more than three seconds. A peer that does not answer costs each payment its "
        "time limit: look at the other region too.",
        source=_API,
    ),
)
"""Roles `api` (its name) and `stage`."""

LOAD_BALANCER = (
    Alarm(
        key="5xx",
        namespace="AWS/ApplicationELB",
        metric="HTTPCode_ELB_5XX_Count",
        dimensions={"LoadBalancer": "load_balancer"},
        evaluation_periods=5,
        datapoints=3,
        threshold=5,
        missing_reason="reported only when there are some",
        reason="The load balancer answers for a function that fails, is throttled or takes too long: payments through "
        "the accelerator are refused.",
        source=_ALB,
        urgent=True,
    ),
)
"""The ALB's. Role `load_balancer`: the end of its ARN (`arn_suffix`)."""

TARGETS = (
    Alarm(
        key="unhealthy",
        namespace="AWS/NetworkELB",
        metric="UnHealthyHostCount",
        dimensions={"LoadBalancer": "load_balancer", "TargetGroup": "target_group"},
        statistic="Maximum",
        evaluation_periods=2,
        datapoints=2,
        missing="breaching",
        missing_reason="reported as long as a target is registered, so silence means that there is none",
        reason="/health of this region does not answer 200: it cannot do its work, or it is fenced. Accelerator and "
        "failover records have left it.",
        source=_NLB,
        urgent=True,
    ),
)
"""The NLB's. Roles `load_balancer` and `target_group`: the ends of their ARNs (`arn_suffix`)."""

HEALTH_CHECK = (
    Alarm(
        key="health",
        namespace="AWS/Route53",
        metric="HealthCheckStatus",
        dimensions={"HealthCheckId": "health_check"},
        statistic="Minimum",
        comparison="LessThanThreshold",
        missing="breaching",
        missing_reason="an enabled health check reports every minute",
        reason="Route 53's checkers, from all over the world, cannot reach this name of a region.",
        source="[R53-4]",
        metric_region="us-east-1",
    ),
)
"""Role `health_check`: its id."""

CERTIFICATE = (
    Alarm(
        key="expiry",
        namespace="AWS/CertificateManager",
        metric="DaysToExpiry",
        dimensions={"CertificateArn": "certificate"},
        statistic="Minimum",
        period=86400,
        threshold=30,
        comparison="LessThanThreshold",
        missing="ignore",
        missing_reason="the metric ends when the certificate does: the alarm must then stay as it is, not recover",
        reason="The certificate ends within 30 days. ACM renews what it issued well before that, so that failed; an "
        "imported one must be replaced by hand.",
        source="[ACM-4]",
    ),
)
"""Role `certificate`: its ARN."""
