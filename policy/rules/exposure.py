"""What the world may reach: the NLB on port 443, and the regional API. No bucket, no other address (R14)."""

import ipaddress
from collections.abc import Mapping

from policy.rules.rows import Row, Rows, label, look, of_type, statements

BUCKET = "aws:s3/bucket:Bucket"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
HTTPS = 443
_WORLD = ("0.0.0.0/0", "::/0")
_PEERS = ("referencedSecurityGroupId", "cidrIpv4", "cidrIpv6", "prefixListId")

# Settings that keep a bucket private: type to what it must say [S3-14].
PRIVATE: Mapping[str, Mapping[str, object]] = {
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    },
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {"rule.objectOwnership": "BucketOwnerEnforced"},
}
# Inputs that must be as here, or not be there, for a thing to have no public address.
HIDDEN: Mapping[str, Mapping[str, object]] = {
    "aws:ec2/subnet:Subnet": {"mapPublicIpOnLaunch": False},
    "aws:rds/clusterInstance:ClusterInstance": {"publiclyAccessible": False},
    BUCKET: {"acl": None, "website": None, "policy": None},
}
# Types that open a thing to the world, or do what our own types do in another way.
REFUSED = {
    "aws:s3/bucketAcl:BucketAcl": "objects belong to the bucket's owner, without ACLs",
    "aws:s3/bucketWebsiteConfiguration:BucketWebsiteConfiguration": "no bucket is a website",
    "aws:lambda/functionUrl:FunctionUrl": "functions are behind the front door and the API only",
    "aws:ec2/securityGroupRule:SecurityGroupRule": "use the rules of the VPC module, one peer each [VPC-1]",
}


def public_buckets(rows: Rows) -> list[str]:
    """Buckets that do not block every kind of public access, or whose objects may belong to others."""
    violations = []
    for bucket in of_type(rows, BUCKET):
        for token, wanted in PRIVATE.items():
            mine = [row for row in of_type(rows, token) if row["inputs"].get("bucket") == bucket["outputs"]["bucket"]]
            if not mine:
                violations.append(f"{label(bucket)} has no {token.rpartition(':')[2]}; give it one")
            violations += [
                f"{label(row)} of {label(bucket)} has {path} {look(row, path)[0].value}; set it to {value}"
                for row in mine
                for path, value in wanted.items()
                if look(row, path)[0].value != value
            ]
    return violations


def public_addresses(rows: Rows) -> list[str]:
    """Things with a public address. One load balancer a region has any: the one that the accelerator leads to."""
    violations = [
        f"{label(row)} has {path} {look(row, path)[0].value}; "
        + ("take it away" if wanted is None else f"set it to {wanted}")
        for token, paths in HIDDEN.items()
        for row in of_type(rows, token)
        for path, wanted in paths.items()
        if look(row, path)[0].value != wanted
    ]
    return violations + [
        f"{label(row)} is an internet-facing ALB; make it internal"
        for row in of_type(rows, BALANCER)
        if row["inputs"].get("loadBalancerType") != "network" and row["inputs"].get("internal") is not True
    ]


def public_principals(rows: Rows) -> list[str]:
    """Resource policies that allow anyone anything."""
    return [
        f"{label(row)} allows anyone {each.get('Action')}; name the principal"
        for row in rows
        for document in row["inputs"].values()
        for each in statements(document)
        if each.get("Effect") == "Allow" and each.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
    ]


def refused_types(rows: Rows) -> list[str]:
    return [f"{label(row)} is not to be used; {REFUSED[row['type']]}" for row in of_type(rows, *REFUSED)]


def inline_rules(rows: Rows) -> list[str]:
    """Rules inside a group: mixed with separate ones they are a difference for ever, and groups that name each other
    could not be deleted [PROVIDER-2] [VPC-1]."""
    return [
        f"{label(row)} has {side} rules inside; make each a resource of its own"
        for row in of_type(rows, GROUP)
        for side in ("ingress", "egress")
        if row["inputs"].get(side)
    ]


def unnamed_peers(rows: Rows) -> list[str]:
    """Rules that do not say who may come, to which one port, and why."""
    violations = []
    for row in of_type(rows, INGRESS, EGRESS):
        given = row["inputs"]
        if sum(given.get(peer) is not None for peer in _PEERS) != 1:
            violations.append(f"{label(row)} names no peer; give exactly one of {', '.join(_PEERS)}")
        if not given.get("description"):
            violations.append(f"{label(row)} gives no reason; describe who comes and what for")
        if (given.get("ipProtocol"), given.get("fromPort"), given.get("toPort")) != ("tcp", HTTPS, HTTPS):
            violations.append(f"{label(row)} opens more than HTTPS; restrict it to TCP {HTTPS}")
    return violations


def open_doors(rows: Rows) -> list[str]:
    """Ingress from an address range: the world may reach NLBs, and the peer region's VPC what names it; everyone else
    must be named by group. Groups of another region cannot be named [VPC-3]."""
    front = {
        group
        for row in of_type(rows, BALANCER)
        if row["inputs"].get("loadBalancerType") == "network"
        for group in row["inputs"].get("securityGroups", [])
    }
    violations = []
    for row in of_type(rows, INGRESS):
        cidr = row["inputs"].get("cidrIpv4") or row["inputs"].get("cidrIpv6")
        if cidr is None or (cidr in _WORLD and row["inputs"].get("securityGroupId") in front):
            continue
        if cidr not in _peer_cidrs(row, rows):
            violations.append(f"{label(row)} lets in {cidr}; name the peer's group, or the peer region's VPC")
    return violations


def _peer_cidrs(row: Row, rows: Rows) -> set[str]:
    vpcs = of_type(rows, "aws:ec2/vpc:Vpc")
    return {str(ipaddress.ip_network(vpc["inputs"]["cidrBlock"])) for vpc in vpcs if vpc["region"] != row["region"]}


def unguarded(rows: Rows) -> list[str]:
    """Load balancers, functions and database members without a security group of ours: the VPC's default one lets
    everything out."""
    paths = {
        BALANCER: "securityGroups",
        "aws:lambda/function:Function": "vpcConfig.securityGroupIds",
        "aws:rds/cluster:Cluster": "vpcSecurityGroupIds",
    }
    ours = {row["outputs"]["id"] for row in of_type(rows, GROUP)}
    return [
        f"{label(row)} has security group {found.value}; give it one of this environment"
        for token, path in paths.items()
        for row in of_type(rows, token)
        for found in look(row, path)
        if found.value not in ours
    ]
