"""Load balancers, target groups, listeners and their rules."""

from collections.abc import Callable
from typing import Any

from localaws.core.errors import TableError
from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Entry, KeyValues, Name, Tags

_LOAD_BALANCER = {
    "access_logs.s3.bucket": "{in.accessLogs.bucket}",
    "access_logs.s3.enabled": "{in.accessLogs.enabled}",
    "access_logs.s3.prefix": "{in.accessLogs.prefix}",
    "client_keep_alive.seconds": "{in.clientKeepAlive}",
    "connection_logs.s3.bucket": "{in.connectionLogs.bucket}",
    "connection_logs.s3.enabled": "{in.connectionLogs.enabled}",
    "connection_logs.s3.prefix": "{in.connectionLogs.prefix}",
    "deletion_protection.enabled": "{in.enableDeletionProtection}",
    "dns_record.client_routing_policy": "{in.dnsRecordClientRoutingPolicy}",
    "idle_timeout.timeout_seconds": "{in.idleTimeout}",
    "load_balancing.cross_zone.enabled": "{in.enableCrossZoneLoadBalancing}",
    "routing.http.desync_mitigation_mode": "{in.desyncMitigationMode}",
    "routing.http.drop_invalid_header_fields.enabled": "{in.dropInvalidHeaderFields}",
    "routing.http.preserve_host_header.enabled": "{in.preserveHostHeader}",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "{in.enableTlsVersionAndCipherSuiteHeaders}",
    "routing.http.xff_client_port.enabled": "{in.enableXffClientPort}",
    "routing.http.xff_header_processing.mode": "{in.xffHeaderProcessingMode}",
    "routing.http2.enabled": "{in.enableHttp2}",
    "waf.fail_open.enabled": "{in.enableWafFailOpen}",
    "zonal_shift.config.enabled": "{in.enableZonalShift}",
}
_DNS_FAILOVER = "in.targetGroupHealth.dnsFailover"
_UNHEALTHY_ROUTING = "in.targetGroupHealth.unhealthyStateRouting"
_TARGET_GROUP = {
    "deregistration_delay.connection_termination.enabled": "{in.connectionTermination}",
    "deregistration_delay.timeout_seconds": "{in.deregistrationDelay}",
    "lambda.multi_value_headers.enabled": "{in.lambdaMultiValueHeadersEnabled}",
    "load_balancing.algorithm.anomaly_mitigation": "{in.loadBalancingAnomalyMitigation}",
    "load_balancing.algorithm.type": "{in.loadBalancingAlgorithmType}",
    "load_balancing.cross_zone.enabled": "{in.loadBalancingCrossZoneEnabled}",
    "preserve_client_ip.enabled": "{in.preserveClientIp}",
    "proxy_protocol_v2.enabled": "{in.proxyProtocolV2}",
    "slow_start.duration_seconds": "{in.slowStart}",
    "stickiness.app_cookie.cookie_name": "{in.stickiness.cookieName}",
    "stickiness.enabled": "{in.stickiness.enabled}",
    "stickiness.lb_cookie.duration_seconds": "{in.stickiness.cookieDuration}",
    "stickiness.type": "{in.stickiness.type}",
    "target_group_health.dns_failover.minimum_healthy_targets.count": (
        f"{{{_DNS_FAILOVER}.minimumHealthyTargetsCount}}"
    ),
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": (
        f"{{{_DNS_FAILOVER}.minimumHealthyTargetsPercentage}}"
    ),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": (
        f"{{{_UNHEALTHY_ROUTING}.minimumHealthyTargetsCount}}"
    ),
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": (
        f"{{{_UNHEALTHY_ROUTING}.minimumHealthyTargetsPercentage}}"
    ),
    "target_health_state.unhealthy.connection_termination.enabled": (
        "{in.targetHealthStates[0].enableUnhealthyConnectionTermination}"
    ),
    "target_health_state.unhealthy.draining_interval_seconds": ("{in.targetHealthStates[0].unhealthyDrainingInterval}"),
}
_HEALTH_CHECK = {
    "HealthCheckEnabled": "{in.healthCheck.enabled}",
    "HealthCheckIntervalSeconds": "{in.healthCheck.interval}",
    "HealthCheckPath": "{in.healthCheck.path}",
    "HealthCheckPort": "{in.healthCheck.port}",
    "HealthCheckProtocol": "{in.healthCheck.protocol}",
    "HealthCheckTimeoutSeconds": "{in.healthCheck.timeout}",
    "HealthyThresholdCount": "{in.healthCheck.healthyThreshold}",
    "UnhealthyThresholdCount": "{in.healthCheck.unhealthyThreshold}",
    "Matcher": {"HttpCode": "{in.healthCheck.matcher}"},
}
_TARGETS = {
    "TargetGroupArn": "{in.targetGroupArn}",
    "Targets": [{"Id": "{in.targetId}", "Port": "{in.port}", "AvailabilityZone": "{in.availabilityZone}"}],
}
_ACTIONS = {
    "forward": "ForwardConfig",
    "redirect": "RedirectConfig",
    "fixedResponse": "FixedResponseConfig",
    "arn": "TargetGroupArn",
    "stickiness": "TargetGroupStickinessConfig",
    "duration": "DurationSeconds",
}


def _conditions(context: Context) -> list[dict[str, Any]]:
    """A rule's conditions in the API's form: a field, and a configuration whose type follows from the field."""
    conditions: list[dict[str, Any]] = context.inputs["conditions"]
    if other := sorted({kind for each in conditions for kind in each} - {"pathPattern"}):
        raise TableError(f"listener rules on {', '.join(other)} are not emulated; only path patterns are")
    return [{"Field": "path-pattern", "PathPatternConfig": each["pathPattern"]} for each in conditions]


def _suffix(start: str) -> Callable[[Context], str]:
    """The part of the ARN that CloudWatch uses as a dimension."""
    return lambda context: str(context.out["arn"]).partition(start)[2]


TYPES = {
    "aws:lb/loadBalancer:LoadBalancer": Entry(
        service="elbv2",
        create=Call(
            "create_load_balancer",
            {"Scheme": lambda context: "internal" if context.inputs.get("internal") else "internet-facing"},
            auto=ALL,
            takes=("internal",),
        ),
        puts=(
            Call(
                "modify_load_balancer_attributes",
                {"LoadBalancerArn": "{id}", "Attributes": KeyValues(_LOAD_BALANCER)},
            ),
        ),
        update=(
            Call("set_security_groups", {"LoadBalancerArn": "{id}"}, auto=("securityGroups",)),
            Call("set_subnets", {"LoadBalancerArn": "{id}"}, auto=("subnets", "subnetMappings")),
        ),
        id="{made.LoadBalancers[0].LoadBalancerArn}",
        read=Call("describe_load_balancers", {"LoadBalancerArns": ["{id}"]}),
        ready="found.LoadBalancers[0].State.Code == 'active'",
        delete=(Call("delete_load_balancer", {"LoadBalancerArn": "{id}"}),),
        rename={"loadBalancerType": "Type"},
        autoname=Name(limit=32),
        defaults={"loadBalancerType": "application"},
        tags=Tags(resource="{id}"),
        outputs={
            "arn": "{id}",
            "arnSuffix": _suffix(":loadbalancer/"),
            "dnsName": "{found.LoadBalancers[0].DNSName}",
            "vpcId": "{found.LoadBalancers[0].VpcId}",
            "zoneId": "{found.LoadBalancers[0].CanonicalHostedZoneId}",
        },
    ),
    "aws:lb/targetGroup:TargetGroup": Entry(
        service="elbv2",
        create=Call("create_target_group", _HEALTH_CHECK, auto=ALL),
        puts=(
            Call(
                "modify_target_group_attributes",
                {"TargetGroupArn": "{id}", "Attributes": KeyValues(_TARGET_GROUP)},
            ),
        ),
        update=(Call("modify_target_group", {"TargetGroupArn": "{id}", **_HEALTH_CHECK}),),
        id="{made.TargetGroups[0].TargetGroupArn}",
        delete=(Call("delete_target_group", {"TargetGroupArn": "{id}"}),),
        autoname=Name(limit=32),
        defaults={"targetType": "instance"},
        tags=Tags(resource="{id}"),
        outputs={
            "arn": "{id}",
            "arnSuffix": lambda context: f"targetgroup{str(context.out['arn']).partition(':targetgroup')[2]}",
            "loadBalancerArns": [],
        },
    ),
    "aws:lb/targetGroupAttachment:TargetGroupAttachment": Entry(
        service="elbv2",
        create=Call("register_targets", _TARGETS),
        id="{in.targetGroupArn}-{in.targetId}",
        delete=(Call("deregister_targets", _TARGETS),),
    ),
    "aws:lb/listener:Listener": Entry(
        service="elbv2",
        create=Call("create_listener", {"Certificates": [{"CertificateArn": "{in.certificateArn}"}]}, auto=ALL),
        puts=(
            Call(
                "modify_listener_attributes",
                {
                    "ListenerArn": "{id}",
                    "Attributes": KeyValues({"tcp.idle_timeout.seconds": "{in.tcpIdleTimeoutSeconds}"}),
                },
            ),
        ),
        update=(
            Call(
                "modify_listener",
                {"ListenerArn": "{id}", "Certificates": [{"CertificateArn": "{in.certificateArn}"}]},
                auto=("defaultActions", "port", "protocol", "sslPolicy", "alpnPolicy"),
            ),
        ),
        id="{made.Listeners[0].ListenerArn}",
        delete=(Call("delete_listener", {"ListenerArn": "{id}"}),),
        rename=_ACTIONS,
        tags=Tags(resource="{id}"),
        outputs={"arn": "{id}"},
    ),
    "aws:lb/listenerRule:ListenerRule": Entry(
        service="elbv2",
        create=Call("create_rule", {"Conditions": _conditions}, auto=ALL, takes=("conditions",)),
        update=(
            Call(
                "modify_rule",
                {"RuleArn": "{id}", "Conditions": _conditions},
                auto=("actions",),
                takes=("conditions",),
            ),
            Call(
                "set_rule_priorities",
                {"RulePriorities": [{"RuleArn": "{id}", "Priority": "{in.priority}"}]},
            ),
        ),
        id="{made.Rules[0].RuleArn}",
        delete=(Call("delete_rule", {"RuleArn": "{id}"}),),
        rename=_ACTIONS,
        tags=Tags(resource="{id}"),
        outputs={"arn": "{id}"},
    ),
}
