"""The security group that Global Accelerator makes in a VPC when it preserves client addresses: it outlives the
endpoint and blocks the VPC's deletion [GA-4]. Ours preserves none, but one changed by hand may."""

from botocore.exceptions import ClientError

from ops.environment.aws import pages
from ops.teardown.sweeps.kind import Ground, Kind

NAME = "GlobalAccelerator"


def find(ground: Ground) -> list[str]:
    if not ground.vpc_id:
        return []
    inside = [{"Name": "vpc-id", "Values": [ground.vpc_id]}, {"Name": "group-name", "Values": [NAME]}]
    found = pages(ground.here("ec2"), "describe_security_groups", "SecurityGroups", Filters=inside)
    return sorted(each["GroupId"] for each in found)


def remove(ground: Ground, name: str) -> None:
    try:
        ground.here("ec2").delete_security_group(GroupId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidGroup.NotFound":
            raise


KIND = Kind(name="accelerator's security group", find=find, remove=remove, blocks_regions=True)
