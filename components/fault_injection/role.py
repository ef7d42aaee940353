"""IAM permissions of AWS FIS in a region: those that its experiments need, on this environment's resources only."""

from dataclasses import dataclass
from typing import Any

import pulumi

from components import iam

# FIS puts this tag on what it makes for a while [FIS-6].
_MADE = {"StringEquals": {"aws:RequestTag/managedByFIS": "true"}}
_ITS_OWN = {"StringEquals": {"aws:ResourceTag/managedByFIS": "true"}}


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Our things in the region that experiments touch."""

    region: str
    peer_region: str
    account: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    journal_table: str
    bucket_arn: pulumi.Input[str]
    instance: str  # of the database's member
    environment: str
    place: str

    def arn(self, service: str, resource: pulumi.Input[str]) -> pulumi.Output[str]:
        return pulumi.Output.concat(f"arn:aws:{service}:{self.region}:", self.account, ":", resource)


def statements(reach: Reach) -> list[dict[str, Any]]:
    """After AWS's own policy for a region that is cut off [FIS-6], narrowed to our VPC, table and bucket."""
    return [*_network(reach), *_journal(reach), *_bucket(reach), *_instance(reach), *_logs()]


def _network(reach: Reach) -> list[dict[str, Any]]:
    vpc = reach.arn("ec2", pulumi.Output.concat("vpc/", reach.vpc_id))
    ours = {"ArnEquals": {"ec2:Vpc": vpc}}
    tables, subnets = reach.arn("ec2", "route-table/*"), reach.arn("ec2", "subnet/*")
    interfaces, lists = reach.arn("ec2", "network-interface/*"), reach.arn("ec2", "prefix-list/*")
    made = [
        (tables, "ec2:CreateRouteTable"),
        (interfaces, "ec2:CreateNetworkInterface"),
        (lists, "ec2:CreateManagedPrefixList"),
    ]
    endpoints_of_ours = {
        "StringEquals": {"aws:ResourceTag/Environment": reach.environment, "aws:ResourceTag/Place": reach.place}
    }
    return [
        *(iam.allow([action], [resource], condition=_MADE) for resource, action in made),
        *(
            iam.allow(
                ["ec2:CreateTags"],
                [resource],
                condition={"StringEquals": {**_MADE["StringEquals"], "ec2:CreateAction": action.partition(":")[2]}},
            )
            for resource, action in made
        ),
        iam.allow(["ec2:CreateRouteTable"], [vpc]),
        iam.allow(["ec2:CreateNetworkInterface"], [subnets, reach.arn("ec2", "security-group/*")], condition=ours),
        iam.allow(
            ["ec2:AssociateRouteTable", "ec2:DisassociateRouteTable", "ec2:ReplaceRouteTableAssociation"],
            [tables, subnets],
            condition=ours,
        ),
        iam.allow(["ec2:CreateRoute", "ec2:DeleteRouteTable"], [tables], condition=_ITS_OWN),
        iam.allow(["ec2:DeleteNetworkInterface"], [interfaces], condition=_ITS_OWN),
        iam.allow(["ec2:DeleteManagedPrefixList", "ec2:ModifyManagedPrefixList"], [lists], condition=_ITS_OWN),
        iam.allow(["ec2:ModifyVpcEndpoint"], [tables], condition=_ITS_OWN),
        iam.allow(["ec2:ModifyVpcEndpoint"], [reach.arn("ec2", "vpc-endpoint/*")], condition=endpoints_of_ours),
        # AWS's own lists among them: they hold the addresses of its services.
        iam.allow(["ec2:GetManagedPrefixListEntries"], [f"arn:aws:ec2:{reach.region}:*:prefix-list/*"]),
        # Listings (Service Authorization Reference, Amazon EC2).
        iam.allow(
            [
                "ec2:DescribeManagedPrefixLists",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeRouteTables",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcEndpoints",
                "ec2:DescribeVpcPeeringConnections",
                "ec2:DescribeVpcs",
            ],
            ["*"],
        ),
    ]


def _journal(reach: Reach) -> list[dict[str, Any]]:
    """The pause is a policy on table and stream that locks the replication out."""
    table = f"table/{reach.journal_table}"
    return [
        iam.allow(
            [
                "dynamodb:DeleteResourcePolicy",
                "dynamodb:DescribeTable",
                "dynamodb:GetResourcePolicy",
                "dynamodb:PutResourcePolicy",
            ],
            [reach.arn("dynamodb", table), reach.arn("dynamodb", f"{table}/stream/*")],
        )
    ]


def _bucket(reach: Reach) -> list[dict[str, Any]]:
    """The condition keys are those of bucket-pause-replication [FIS-7]."""
    return [
        iam.allow(
            ["s3:PauseReplication"],
            [reach.bucket_arn],
            condition={"StringEquals": {"s3:DestinationRegion": reach.peer_region}},
        ),
        iam.allow(
            ["s3:GetReplicationConfiguration", "s3:PutReplicationConfiguration"],
            [reach.bucket_arn],
            condition={"BoolIfExists": {"s3:IsReplicationPauseRequest": "true"}},
        ),
        # Listings (Service Authorization Reference, Amazon S3 and Resource Groups Tagging).
        iam.allow(["s3:ListAllMyBuckets", "tag:GetResources"], ["*"]),
    ]


def _instance(reach: Reach) -> list[dict[str, Any]]:
    return [
        iam.allow(["rds:RebootDBInstance"], [instance_arn(reach)]),
        # AWS's managed policy for FIS allows it for every instance; a look-up by a filter is a listing.
        iam.allow(["rds:DescribeDBInstances"], [reach.arn("rds", "db:*")]),
    ]


def instance_arn(reach: Reach) -> pulumi.Output[str]:
    """The database instance of the region's member."""
    return reach.arn("rds", f"db:{reach.instance}")


def _logs() -> list[dict[str, Any]]:
    """Log delivery supports no resource-level permissions [LOGS-1]."""
    return [
        iam.allow(
            [
                "logs:CreateLogDelivery",
                "logs:DescribeLogGroups",
                "logs:DescribeResourcePolicies",
                "logs:PutResourcePolicy",
            ],
            ["*"],
        )
    ]
