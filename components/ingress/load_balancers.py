"""The load balancers behind the accelerator: NLB (TCP 443) → ALB (TLS) → Lambda, `/health` to its own function.

An accelerator cannot point at API Gateway, and an NLB cannot point at Lambda [GA-9] [NLB-1].
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.compute.function import Function
from components.storage.bucket import ALB_PREFIX

HTTPS = 443
HEALTH_PATH = "/health"
# ALB security policy with TLS 1.3 and 1.2 only [ALB-3].
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


@dataclass(frozen=True, kw_only=True)
class LoadBalancersArgs:
    nlb_name: str
    alb_name: str
    target_group_names: Mapping[str, str]  # by target: `function`, `health`, `alb`
    vpc_id: pulumi.Input[str]
    public_subnet_ids: Sequence[pulumi.Input[str]]
    private_subnet_ids: Sequence[pulumi.Input[str]]
    internet_gateway: pulumi.Resource
    certificate_arn: pulumi.Input[str]
    function: Function  # the workload's: it gets every request but those for health
    health_function: Function
    log_bucket: pulumi.Input[str]
    # Functions that probe this region's health from inside, where there is no NAT: the peer region's by their
    # addresses, its own by their security groups.
    peer_cidr: str | None
    probers: Mapping[str, pulumi.Input[str]]
    protected: bool = False  # from deletion
    health_interval: int  # seconds
    unhealthy_threshold: int


class LoadBalancers(pulumi.ComponentResource):
    """A region's NLB and its targets. The health of the NLB's target group is the health function's
    answer, and with it everything that follows that health: the accelerator and the failover records."""

    nlb: aws.lb.LoadBalancer
    alb: aws.lb.LoadBalancer
    target_group: aws.lb.TargetGroup  # the NLB's

    def __init__(self, name: str, args: LoadBalancersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:load_balancers:LoadBalancers", name, None, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        nlb_group, alb_group = self._security_groups()
        self.alb, alb_listener = self._application_load_balancer(alb_group)
        self.nlb = self._network_load_balancer(nlb_group)
        self.target_group = self._target_group(self.nlb, self.alb, alb_listener)
        self.register_outputs({"nlb_arn": self.nlb.arn, "nlb_dns_name": self.nlb.dns_name})

    def _security_groups(self) -> tuple[aws.ec2.SecurityGroup, aws.ec2.SecurityGroup]:
        """Clients → NLB → ALB, each naming its peer. Rules are resources of their own, so that two groups can name each
        other and be deleted again [VPC-1]."""
        nlb = self._group("nlb", self._args.nlb_name, "clients")
        alb = self._group("alb", self._args.alb_name, "the network load balancer only")
        # Clients are anywhere: the accelerator's addresses and Route 53's both lead here.
        self._ingress("clients-to-nlb", nlb, cidr="0.0.0.0/0", what="clients")
        self._ingress("nlb-to-alb", alb, peer=nlb.id, what="traffic and health probes of the NLB")
        if self._args.peer_cidr is not None:
            self._ingress("peer-to-alb", alb, cidr=self._args.peer_cidr, what="health probes of the peer region")
        for prober, group in self._args.probers.items():
            self._ingress(f"{prober}-to-alb", alb, peer=group, what=f"health probes of function {prober}")
        aws.vpc.SecurityGroupEgressRule(
            f"{self._prefix}-nlb-out",
            security_group_id=nlb.id,
            description="traffic and health probes to the ALB",
            referenced_security_group_id=alb.id,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            opts=self._child,
        )
        return nlb, alb

    def _group(self, role: str, name: str, clients: str) -> aws.ec2.SecurityGroup:
        return aws.ec2.SecurityGroup(
            f"{self._prefix}-{role}",
            name=name,
            vpc_id=self._args.vpc_id,
            description=f"{name}: {clients}",
            opts=self._child,
        )

    def _ingress(
        self,
        role: str,
        group: aws.ec2.SecurityGroup,
        *,
        what: str,
        cidr: str | None = None,
        peer: pulumi.Input[str] | None = None,
    ) -> None:
        aws.vpc.SecurityGroupIngressRule(
            f"{self._prefix}-{role}",
            security_group_id=group.id,
            description=what,
            cidr_ipv4=cidr,
            referenced_security_group_id=peer,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            opts=self._child,
        )

    def _application_load_balancer(self, group: aws.ec2.SecurityGroup) -> tuple[aws.lb.LoadBalancer, aws.lb.Listener]:
        alb = aws.lb.LoadBalancer(
            f"{self._prefix}-alb",
            name=self._args.alb_name,
            load_balancer_type="application",
            internal=True,
            subnets=list(self._args.private_subnet_ids),
            security_groups=[group.id],
            enable_deletion_protection=self._args.protected,
            drop_invalid_header_fields=True,
            access_logs={"bucket": self._args.log_bucket, "prefix": ALB_PREFIX, "enabled": True},
            # When the firewall is unavailable, requests pass: the function rejects bad ones as well.
            enable_waf_fail_open=True,
            opts=self._child,
        )
        workload = self._function_group("function", self._args.function)
        health = self._function_group("health", self._args.health_function)
        listener = aws.lb.Listener(
            f"{self._prefix}-alb",
            load_balancer_arn=alb.arn,
            port=HTTPS,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificate_arn=self._args.certificate_arn,
            default_actions=[{"type": "forward", "target_group_arn": workload.arn}],
            opts=self._child,
        )
        aws.lb.ListenerRule(
            f"{self._prefix}-health",
            listener_arn=listener.arn,
            priority=1,
            conditions=[{"path_pattern": {"values": [HEALTH_PATH, f"{HEALTH_PATH}/"]}}],
            actions=[{"type": "forward", "target_group_arn": health.arn}],
            opts=self._child,
        )
        return alb, listener

    def _function_group(self, role: str, function: Function) -> aws.lb.TargetGroup:
        """A target group with one Lambda function, which the load balancer may invoke through it."""
        group = aws.lb.TargetGroup(
            f"{self._prefix}-{role}",
            name=self._args.target_group_names[role],
            target_type="lambda",
            opts=self._child,
        )
        permission = aws.lambda_.Permission(
            f"{self._prefix}-{role}",
            function=function.name,
            action="lambda:InvokeFunction",
            principal="elasticloadbalancing.amazonaws.com",
            source_arn=group.arn,
            opts=self._child,
        )
        aws.lb.TargetGroupAttachment(
            f"{self._prefix}-{role}",
            target_group_arn=group.arn,
            target_id=function.arn,
            # Registering a function that the load balancer may not invoke is refused [ALB-1].
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permission]),
        )
        return group

    def _network_load_balancer(self, group: aws.ec2.SecurityGroup) -> aws.lb.LoadBalancer:
        return aws.lb.LoadBalancer(
            f"{self._prefix}-nlb",
            name=self._args.nlb_name,
            load_balancer_type="network",
            internal=False,
            subnets=list(self._args.public_subnet_ids),
            # Only at creation: adding the first group later replaces the NLB, and with it the accelerator's endpoint.
            security_groups=[group.id],
            enable_deletion_protection=self._args.protected,
            # Global Accelerator recommends it off for NLB endpoints [GA-5]; the ALB behind it is in all zones.
            enable_cross_zone_load_balancing=False,
            # Its public addresses hold the internet gateway: it must go first at teardown [VPC-2].
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._args.internet_gateway]),
        )

    def _target_group(
        self, nlb: aws.lb.LoadBalancer, alb: aws.lb.LoadBalancer, alb_listener: aws.lb.Listener
    ) -> aws.lb.TargetGroup:
        group = aws.lb.TargetGroup(
            f"{self._prefix}-alb",
            name=self._args.target_group_names["alb"],
            target_type="alb",
            protocol="TCP",
            port=HTTPS,
            vpc_id=self._args.vpc_id,
            health_check={
                "protocol": "HTTPS",
                "port": str(HTTPS),
                "path": HEALTH_PATH,
                "matcher": "200",
                "interval": self._args.health_interval,
                # The least that Elastic Load Balancing allows: a region that hangs is noticed no later than one that
                # refuses. Two slow answers in a row are needed to call it unhealthy.
                "timeout": 2,
                "healthy_threshold": 2,
                "unhealthy_threshold": self._args.unhealthy_threshold,
            },
            opts=self._child,
        )
        aws.lb.TargetGroupAttachment(
            f"{self._prefix}-alb",
            target_group_arn=group.arn,
            target_id=alb.arn,
            port=HTTPS,
            # An ALB can be a target only while it listens on the same port, at teardown too [NLB-2].
            opts=pulumi.ResourceOptions(parent=self, depends_on=[alb_listener]),
        )
        aws.lb.Listener(
            f"{self._prefix}-nlb",
            load_balancer_arn=nlb.arn,
            port=HTTPS,
            protocol="TCP",
            default_actions=[{"type": "forward", "target_group_arn": group.arn}],
            opts=self._child,
        )
        return group
