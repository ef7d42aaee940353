"""Where a member of the global database may live in a region. The member itself is the global stack's."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class DatabasePlacementArgs:
    name: str
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]


class DatabasePlacement(pulumi.ComponentResource):
    """Subnet group and security group. The group has no rule at all: functions talk to the database through the Data
    API, which reaches it inside AWS, so that no one needs a network path to it."""

    subnet_group: pulumi.Output[str]
    security_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: DatabasePlacementArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:database:DatabasePlacement", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        subnets = aws.rds.SubnetGroup(f"{name}-subnets", name=args.name, subnet_ids=list(args.subnet_ids), opts=child)
        group = aws.ec2.SecurityGroup(
            f"{name}-network", vpc_id=args.vpc_id, description="Database: Data API only", opts=child
        )
        self.subnet_group, self.security_group_id = subnets.name, group.id
        self.register_outputs({"subnet_group": self.subnet_group})
