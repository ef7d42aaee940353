"""VPC peering, interface endpoints and flow logs, as EC2 has them."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.embedded import EAST_1, EAST_2, LocalAws

_number = count(1)


@dataclass(frozen=True)
class Vpcs:
    aws: LocalAws
    ids: dict[str, str]
    blocks: dict[str, str]

    def ask(self, **settings: Any) -> str:
        given = {"VpcId": self.ids[EAST_1], "PeerVpcId": self.ids[EAST_2], "PeerRegion": EAST_2}
        made = self.aws.client("ec2").create_vpc_peering_connection(**{**given, **settings})
        return str(made["VpcPeeringConnection"]["VpcPeeringConnectionId"])

    def accept(self, connection: str, region: str = EAST_2) -> None:
        self.aws.client("ec2", region).accept_vpc_peering_connection(VpcPeeringConnectionId=connection)

    def options(self, connection: str, side: str, region: str) -> None:
        wanted = {f"{side}PeeringConnectionOptions": {"AllowDnsResolutionFromRemoteVpc": True}}
        self.aws.client("ec2", region).modify_vpc_peering_connection_options(
            VpcPeeringConnectionId=connection, **wanted
        )

    def seen(self, connection: str, region: str = EAST_1) -> dict[str, Any]:
        found: dict[str, Any] = self.aws.client("ec2", region).describe_vpc_peering_connections(
            VpcPeeringConnectionIds=[connection]
        )["VpcPeeringConnections"][0]
        return found

    def endpoint(self, **settings: Any) -> dict[str, Any]:
        given = {"VpcId": self.ids[EAST_1], "VpcEndpointType": "Interface"}
        service = {"ServiceName": "com.amazonaws.us-east-1.rds-data", "PrivateDnsEnabled": False}
        made: dict[str, Any] = self.aws.client("ec2").create_vpc_endpoint(**{**given, **service, **settings})
        return dict(made["VpcEndpoint"])


@pytest.fixture
def vpcs(planes: LocalAws) -> Vpcs:
    ids, blocks = {}, {}
    for region in (EAST_1, EAST_2):
        blocks[region] = f"10.{100 + next(_number)}.0.0/16"
        ids[region] = planes.client("ec2", region).create_vpc(CidrBlock=blocks[region])["Vpc"]["VpcId"]
    return Vpcs(planes, ids, blocks)


def names_on(vpcs: Vpcs) -> None:
    for attribute in ("EnableDnsHostnames", "EnableDnsSupport"):
        vpcs.aws.client("ec2").modify_vpc_attribute(VpcId=vpcs.ids[EAST_1], **{attribute: {"Value": True}})


def test_the_accepters_region_accepts_and_the_requesters_cannot(vpcs: Vpcs) -> None:
    connection = vpcs.ask()
    with pytest.raises(ClientError, match="must be accepted in region us-east-2"):
        vpcs.accept(connection, EAST_1)
    assert vpcs.seen(connection)["Status"]["Code"] == "pending-acceptance"

    vpcs.accept(connection)

    assert [vpcs.seen(connection, region)["Status"]["Code"] for region in (EAST_1, EAST_2)] == ["active", "active"]


def test_the_accepters_addresses_show_once_it_has_accepted(vpcs: Vpcs) -> None:
    connection = vpcs.ask()
    assert vpcs.seen(connection)["RequesterVpcInfo"]["CidrBlock"] == vpcs.blocks[EAST_1]
    assert "CidrBlock" not in vpcs.seen(connection)["AccepterVpcInfo"]

    vpcs.accept(connection)

    assert vpcs.seen(connection)["AccepterVpcInfo"]["CidrBlockSet"] == [{"CidrBlock": vpcs.blocks[EAST_2]}]


def test_each_side_sets_its_options_in_its_own_region_once_the_connection_is_active(vpcs: Vpcs) -> None:
    connection = vpcs.ask()
    with pytest.raises(ClientError, match="is not active"):
        vpcs.options(connection, "Requester", EAST_1)
    vpcs.accept(connection)
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        vpcs.options(connection, "Accepter", EAST_1)

    vpcs.options(connection, "Accepter", EAST_2)

    for region in (EAST_1, EAST_2):
        found = vpcs.seen(connection, region)
        allowed = [
            found[side]["PeeringOptions"]["AllowDnsResolutionFromRemoteVpc"]
            for side in ("RequesterVpcInfo", "AccepterVpcInfo")
        ]
        assert allowed == [False, True]


def test_networks_that_overlap_or_are_not_there_are_not_peered(vpcs: Vpcs) -> None:
    other = vpcs.aws.client("ec2", EAST_2).create_vpc(CidrBlock=vpcs.blocks[EAST_1])["Vpc"]["VpcId"]

    assert vpcs.seen(vpcs.ask(PeerVpcId=other))["Status"]["Code"] == "failed"
    failed = vpcs.ask(PeerVpcId="vpc-0")
    assert vpcs.seen(failed)["Status"]["Code"] == "failed"
    with pytest.raises(ClientError, match="InvalidStateTransition"):
        vpcs.accept(vpcs.ask(PeerVpcId=other))
    with pytest.raises(ClientError, match="NotFound"):
        vpcs.ask(VpcId="vpc-0")


def test_an_interface_endpoint_has_a_name_and_an_interface_in_each_zone(vpcs: Vpcs) -> None:
    names_on(vpcs)
    client = vpcs.aws.client("ec2")
    prefix = vpcs.blocks[EAST_1].removesuffix(".0.0/16")
    subnets = [
        client.create_subnet(
            VpcId=vpcs.ids[EAST_1], CidrBlock=f"{prefix}.{place}.0/24", AvailabilityZone=f"us-east-1{zone}"
        )["Subnet"]["SubnetId"]
        for place, zone in enumerate("ab")
    ]
    group = client.create_security_group(GroupName="e", Description="e", VpcId=vpcs.ids[EAST_1])["GroupId"]

    made = vpcs.endpoint(SubnetIds=subnets, SecurityGroupIds=[group], PrivateDnsEnabled=True)

    names = [entry["DnsName"] for entry in made["DnsEntries"]]
    label = names[0].partition(".")[0]
    suffix = "rds-data.us-east-1.vpce.amazonaws.com"
    assert label.startswith(f"{made['VpcEndpointId']}-")
    assert names == [
        f"{label}.{suffix}",
        f"{label}-us-east-1a.{suffix}",
        f"{label}-us-east-1b.{suffix}",
        "rds-data.us-east-1.amazonaws.com",
    ]
    assert {entry["HostedZoneId"] for entry in made["DnsEntries"][:3]} == {"Z7HUB22UULQXV"}
    assert [each["GroupId"] for each in made["Groups"]] == [group]
    interfaces = client.describe_network_interfaces(NetworkInterfaceIds=made["NetworkInterfaceIds"])
    assert {each["SubnetId"] for each in interfaces["NetworkInterfaces"]} == set(subnets)
    assert all(each["PrivateIpAddress"].startswith(f"{prefix}.") for each in interfaces["NetworkInterfaces"])

    client.modify_vpc_endpoint(VpcEndpointId=made["VpcEndpointId"], RemoveSubnetIds=subnets[1:])
    assert len(described(vpcs, made)["NetworkInterfaceIds"]) == 1
    client.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])
    assert not client.describe_network_interfaces(NetworkInterfaceIds=made["NetworkInterfaceIds"])["NetworkInterfaces"]


def described(vpcs: Vpcs, endpoint: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = vpcs.aws.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])[
        "VpcEndpoints"
    ][0]
    return found


def test_private_names_need_the_networks_dns_and_stand_for_one_endpoint(vpcs: Vpcs) -> None:
    with pytest.raises(ClientError, match="enableDnsHostnames"):
        vpcs.endpoint(PrivateDnsEnabled=True)
    names_on(vpcs)
    first = vpcs.endpoint(PrivateDnsEnabled=True)
    with pytest.raises(ClientError, match="conflicting DNS domain for rds-data"):
        vpcs.endpoint(PrivateDnsEnabled=True)

    assert not vpcs.endpoint()["PrivateDnsEnabled"]
    assert described(vpcs, first)["PrivateDnsEnabled"]
    with pytest.raises(ClientError, match="InvalidSubnetId"):
        vpcs.endpoint(SubnetIds=["subnet-0"])


def test_an_endpoint_keeps_its_policy_and_takes_the_networks_own_group(vpcs: Vpcs) -> None:
    made = vpcs.endpoint(PolicyDocument='{"Statement": []}')

    groups = vpcs.aws.client("ec2").describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [vpcs.ids[EAST_1]]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    assert described(vpcs, made)["PolicyDocument"] == '{"Statement": []}'
    assert [each["GroupId"] for each in made["Groups"]] == [groups[0]["GroupId"]]


def test_a_flow_log_keeps_role_interval_and_tags(vpcs: Vpcs) -> None:
    client = vpcs.aws.client("ec2")
    wanted: dict[str, Any] = {
        "ResourceIds": [vpcs.ids[EAST_1]],
        "ResourceType": "VPC",
        "TrafficType": "REJECT",
        "LogDestination": "arn:aws:logs:us-east-1:000000000000:log-group:/flows:*",
    }
    with pytest.raises(ClientError, match="DeliverLogsPermissionArn can't be empty"):
        client.create_flow_logs(**wanted)
    wanted["DeliverLogsPermissionArn"] = "arn:aws:iam::000000000000:role/flows"
    with pytest.raises(ClientError, match="neither 60 nor 600"):
        client.create_flow_logs(**wanted, MaxAggregationInterval=90)
    tags = [{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "a", "Value": "b"}]}]

    made = client.create_flow_logs(**wanted, MaxAggregationInterval=60, TagSpecifications=tags)["FlowLogIds"]

    [found] = client.describe_flow_logs(FlowLogIds=made)["FlowLogs"]
    assert (found["DeliverLogsPermissionArn"], found["MaxAggregationInterval"]) == (
        wanted["DeliverLogsPermissionArn"],
        60,
    )
    assert (found["LogGroupName"], found["Tags"], found["TrafficType"]) == (
        "/flows",
        [{"Key": "a", "Value": "b"}],
        "REJECT",
    )
