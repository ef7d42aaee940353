"""Exposure to the internet: the NLB on port 443 and the regional API, no bucket and no other address (R14)."""

import ipaddress
from collections.abc import Mapping

from policy.rules.rows import Row, Rows, known_statements, label, of_type, values_at

BUCKET = "aws:s3/bucket:Bucket"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
HTTPS = 443
_WORLD = ("0.0.0.0/0", "::/0")
_PEERS = ("referencedSecurityGroupId", "cidrIpv4", "cidrIpv6", "prefixListId")

# Settings that keep a bucket private, by resource type [S3-14].
PRIVATE: Mapping[str, Mapping[str, object]] = {
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    },
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {"rule.objectOwnership": "BucketOwnerEnforced"},
}
# Values of inputs, None for not set, with which a resource has no public address.
HIDDEN: Mapping[str, Mapping[str, object]] = {
    "aws:ec2/subnet:Subnet": {"mapPublicIpOnLaunch": False},
    "aws:rds/clusterInstance:ClusterInstance": {"publiclyAccessible": False},
    BUCKET: {"acl": None, "website": None, "policy": None},
}
# Types that expose a resource, or that duplicate the types which the components use.
DENIED_TYPES = {
    "aws:s3/bucketAcl:BucketAcl": "objects belong to the bucket's owner, without ACLs",
    "aws:s3/bucketWebsiteConfiguration:BucketWebsiteConfiguration": "no bucket is a website",
    "aws:lambda/functionUrl:FunctionUrl": "functions are reached through the load balancer and the API only",
    "aws:ec2/securityGroupRule:SecurityGroupRule": "use SecurityGroupIngressRule and -EgressRule [VPC-1]",
}


def public_access_blocked(rows: Rows) -> list[str]:
    """Buckets that do not block every kind of public access, or whose objects may belong to others."""
    violations = []
    for bucket in of_type(rows, BUCKET):
        for token, wanted in PRIVATE.items():
            mine = [row for row in of_type(rows, token) if row["inputs"].get("bucket") == bucket["outputs"]["bucket"]]
            if not mine:
                violations.append(f"{label(bucket)} has no {token.rpartition(':')[2]}; add one")
            violations += [
                f"{label(row)} of {label(bucket)} has {path} {values_at(row, path)[0].value}; set it to {value}"
                for row in mine
                for path, value in wanted.items()
                if values_at(row, path)[0].value != value
            ]
    return violations


def public_address_denied(rows: Rows) -> list[str]:
    """Resources with a public address, other than each region's NLB behind the accelerator."""
    violations = [
        f"{label(row)} has {path} {values_at(row, path)[0].value}; "
        + ("remove it" if wanted is None else f"set it to {wanted}")
        for token, paths in HIDDEN.items()
        for row in of_type(rows, token)
        for path, wanted in paths.items()
        if values_at(row, path)[0].value != wanted
    ]
    return violations + [
        f"{label(row)} is an internet-facing ALB; make it internal"
        for row in of_type(rows, BALANCER)
        if row["inputs"].get("loadBalancerType") != "network" and row["inputs"].get("internal") is not True
    ]


def public_principal_denied(rows: Rows) -> list[str]:
    """Policies with an Allow statement for the principal `*`."""
    return [
        f"{label(row)} allows anyone {each.get('Action')}; name the principal"
        for row in rows
        for document in row["inputs"].values()
        for each in known_statements(document)
        if each.get("Effect") == "Allow" and each.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
    ]


def resource_type_denied(rows: Rows) -> list[str]:
    """Resource types that expose a resource, or duplicate the types in use."""
    return [f"{label(row)} has a denied type; {DENIED_TYPES[row['type']]}" for row in of_type(rows, *DENIED_TYPES)]


def inline_rules_denied(rows: Rows) -> list[str]:
    """Inline rules of a security group: mixed with separate rules they show a permanent difference, and groups that
    refer to each other could not be deleted [PROVIDER-2] [VPC-1]."""
    return [
        f"{label(row)} has inline {side} rules; make each a resource of its own"
        for row in of_type(rows, GROUP)
        for side in ("ingress", "egress")
        if row["inputs"].get(side)
    ]


def rule_explicit(rows: Rows) -> list[str]:
    """Security group rules without exactly one peer, without a description, or for more than TCP 443."""
    violations = []
    for row in of_type(rows, INGRESS, EGRESS):
        given = row["inputs"]
        if sum(given.get(peer) is not None for peer in _PEERS) != 1:
            violations.append(f"{label(row)} does not name one peer; set exactly one of {', '.join(_PEERS)}")
        if not given.get("description"):
            violations.append(f"{label(row)} has no description; name the peer and the purpose")
        if (given.get("ipProtocol"), given.get("fromPort"), given.get("toPort")) != ("tcp", HTTPS, HTTPS):
            violations.append(f"{label(row)} opens more than HTTPS; restrict it to TCP {HTTPS}")
    return violations


def ingress_source_restricted(rows: Rows) -> list[str]:
    """Ingress from an address range other than the internet to an NLB, or the peer region's VPC.

    Other peers must be named by security group, which is impossible across regions [VPC-3].
    """
    nlb_groups = {
        group
        for row in of_type(rows, BALANCER)
        if row["inputs"].get("loadBalancerType") == "network"
        for group in row["inputs"].get("securityGroups", [])
    }
    violations = []
    for row in of_type(rows, INGRESS):
        cidr = row["inputs"].get("cidrIpv4") or row["inputs"].get("cidrIpv6")
        if cidr is None or (cidr in _WORLD and row["inputs"].get("securityGroupId") in nlb_groups):
            continue
        if cidr not in _peer_cidrs(row, rows):
            violations.append(f"{label(row)} allows {cidr}; name the peer's security group or the peer region's VPC")
    return violations


def _peer_cidrs(row: Row, rows: Rows) -> set[str]:
    vpcs = of_type(rows, "aws:ec2/vpc:Vpc")
    return {str(ipaddress.ip_network(vpc["inputs"]["cidrBlock"])) for vpc in vpcs if vpc["region"] != row["region"]}


def security_group_required(rows: Rows) -> list[str]:
    """Load balancers, functions and database members without a security group of this environment: the VPC's default
    one allows all egress."""
    paths = {
        BALANCER: "securityGroups",
        "aws:lambda/function:Function": "vpcConfig.securityGroupIds",
        "aws:rds/cluster:Cluster": "vpcSecurityGroupIds",
    }
    ours = {row["outputs"]["id"] for row in of_type(rows, GROUP)}
    return [
        f"{label(row)} has security group {found.value}; use one of this environment"
        for token, path in paths.items()
        for row in of_type(rows, token)
        for found in values_at(row, path)
        if found.value not in ours
    ]
