"""Subnet group and security group for a region's member of the global database, which the global stack creates."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from shared.outputs import DatabaseOutputs
from shared.references import TextInput, TextsInput


@dataclass(frozen=True, kw_only=True)
class DatabasePlacementArgs:
    name: str
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]


class DatabasePlacement(pulumi.ComponentResource):
    """Subnet group and security group. The group has no rule at all: functions talk to the database through the Data
    API, which reaches it inside AWS, so that no network path to it is needed."""

    outputs: DatabaseOutputs[TextInput, TextsInput]

    def __init__(self, name: str, args: DatabasePlacementArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:database:DatabasePlacement", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        subnets = aws.rds.SubnetGroup(f"{name}-subnets", name=args.name, subnet_ids=list(args.subnet_ids), opts=child)
        group = aws.ec2.SecurityGroup(
            f"{name}-network", vpc_id=args.vpc_id, description="Database: Data API only", opts=child
        )
        self.outputs = DatabaseOutputs(subnet_group=subnets.name, security_group_id=group.id)
        self.register_outputs(self.outputs.to_plain())
