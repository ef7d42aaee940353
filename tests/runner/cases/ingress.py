"""Load balancers: a network one in front of an application one in front of a function."""

from tests.runner.cases import Case, Reading

PROGRAM = """
vpc = aws.ec2.Vpc("ingress", cidr_block="10.7.0.0/16", opts=opts)
subnets = [
    aws.ec2.Subnet(
        f"ingress-{z}", vpc_id=vpc.id, cidr_block=f"10.7.{n}.0/24", availability_zone=f"us-east-1{z}", opts=opts
    )
    for n, z in enumerate("ab")
]
ids = [subnet.id for subnet in subnets]
alb = aws.lb.LoadBalancer("alb", internal=True, subnets=ids, idle_timeout=55, opts=opts)
function = aws.lb.TargetGroup("function", target_type="lambda", opts=opts)
fixed = aws.lb.Listener(
    "fixed", load_balancer_arn=alb.arn, port=80, protocol="HTTP",
    default_actions=[{
        "type": "fixed-response",
        "fixed_response": {"content_type": "text/plain", "message_body": "here", "status_code": "200"},
    }],
    opts=opts,
)
rule = aws.lb.ListenerRule(
    "paths", listener_arn=fixed.arn, priority=3, conditions=[{"path_pattern": {"values": ["/a", "/b/*"]}}],
    actions=[{"type": "forward", "target_group_arn": function.arn}], opts=opts,
)
nlb = aws.lb.LoadBalancer(
    "nlb", load_balancer_type="network", subnets=ids, enable_cross_zone_load_balancing=True, opts=opts
)
to_alb = aws.lb.TargetGroup(
    "to-alb", target_type="alb", port=80, protocol="TCP", vpc_id=vpc.id, deregistration_delay=5,
    health_check={
        "protocol": "HTTP", "path": "/health", "port": "80", "interval": 10, "timeout": 6, "healthy_threshold": 2,
        "unhealthy_threshold": 2, "matcher": "200",
    },
    opts=opts,
)
attachment = aws.lb.TargetGroupAttachment(
    "alb", target_group_arn=to_alb.arn, target_id=alb.arn, port=80, opts=pulumi.ResourceOptions.merge(
        opts, pulumi.ResourceOptions(depends_on=[fixed])
    )
)
listener = aws.lb.Listener(
    "tcp", load_balancer_arn=nlb.arn, port=443, protocol="TCP",
    default_actions=[{"type": "forward", "target_group_arn": to_alb.arn}], opts=opts,
)
for name, value in {
    "alb": alb.arn, "nlb": nlb.arn, "suffix": nlb.arn_suffix, "dns": nlb.dns_name, "group": to_alb.arn,
    "group_suffix": to_alb.arn_suffix, "listener": listener.arn, "rule": rule.arn, "function": function.arn,
}.items():
    pulumi.export(name, value)
"""

CASE = Case(
    PROGRAM,
    {
        "aws:lb/loadBalancer:LoadBalancer": Reading(
            lambda aws, out: {
                **(found := aws("elbv2").describe_load_balancers(LoadBalancerArns=[out["nlb"]])["LoadBalancers"][0]),
                "Crosses": {"Key": "load_balancing.cross_zone.enabled", "Value": "true"}
                in aws("elbv2").describe_load_balancer_attributes(LoadBalancerArn=out["nlb"])["Attributes"],
                "SameDns": found["DNSName"] == out["dns"],
                "Suffix": out["nlb"].endswith(f":loadbalancer/{out['suffix']}"),
            },
            {"Type": "network", "Scheme": "internet-facing", "Crosses": True, "SameDns": True, "Suffix": True},
        ),
        "aws:lb/targetGroup:TargetGroup": Reading(
            lambda aws, out: {
                **aws("elbv2").describe_target_groups(TargetGroupArns=[out["group"]])["TargetGroups"][0],
                "Suffix": out["group"].endswith(f":{out['group_suffix']}"),
            },
            {
                "TargetType": "alb",
                "Protocol": "TCP",
                "Port": 80,
                "HealthCheckPath": "/health",
                "HealthCheckIntervalSeconds": 10,
                "HealthCheckTimeoutSeconds": 6,
                "Matcher": {"HttpCode": "200"},
                "Suffix": True,
            },
        ),
        "aws:lb/targetGroupAttachment:TargetGroupAttachment": Reading(
            lambda aws, out: aws("elbv2").describe_target_health(TargetGroupArn=out["group"])[
                "TargetHealthDescriptions"
            ][0]["Target"],
            {"Port": 80},
        ),
        "aws:lb/listener:Listener": Reading(
            lambda aws, out: {
                **(found := aws("elbv2").describe_listeners(ListenerArns=[out["listener"]])["Listeners"][0]),
                "Forwards": found["DefaultActions"][0]["TargetGroupArn"] == out["group"],
            },
            {"Port": 443, "Protocol": "TCP", "Forwards": True},
        ),
        "aws:lb/listenerRule:ListenerRule": Reading(
            lambda aws, out: {
                **(found := aws("elbv2").describe_rules(RuleArns=[out["rule"]])["Rules"][0]),
                "Paths": found["Conditions"][0]["PathPatternConfig"]["Values"],
                "Forwards": found["Actions"][0]["TargetGroupArn"] == out["function"],
            },
            {"Priority": "3", "Paths": ["/a", "/b/*"], "Forwards": True},
        ),
    },
    edits=(
        ("enable_cross_zone_load_balancing=True", "enable_cross_zone_load_balancing=False"),
        ('"interval": 10, "timeout": 6', '"interval": 20, "timeout": 7'),
        ('"tcp", load_balancer_arn=nlb.arn, port=443', '"tcp", load_balancer_arn=nlb.arn, port=444'),
        (
            'priority=3, conditions=[{"path_pattern": {"values": ["/a", "/b/*"]}}]',
            'priority=4, conditions=[{"path_pattern": {"values": ["/c"]}}]',
        ),
    ),
    changed={
        "aws:lb/loadBalancer:LoadBalancer": {"Crosses": False},
        "aws:lb/targetGroup:TargetGroup": {"HealthCheckIntervalSeconds": 20, "HealthCheckTimeoutSeconds": 7},
        "aws:lb/listener:Listener": {"Port": 444, "Forwards": True},
        "aws:lb/listenerRule:ListenerRule": {"Priority": "4", "Paths": ["/c"], "Forwards": True},
    },
)
