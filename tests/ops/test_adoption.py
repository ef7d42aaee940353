"""Finding what an interrupted creation made: by a name, by arguments, or by the tags of what has no name."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from localaws.provider.resources import TABLE
from ops.rollout import adoption, search_table
from shared.aws_sessions import Sessions
from tests.certificates import make_certificate

REGION = "us-east-1"
TAGS = {"Environment": "dev", "Place": "primary"}
PAIRS = [{"Key": key, "Value": value} for key, value in TAGS.items()]
VPC = {"cidrBlock": "10.0.0.0/16", "tagsAll": TAGS}


@pytest.fixture(autouse=True)
def _account() -> Iterator[None]:
    with mock_aws():
        yield


def find(type_: str, **inputs: Any) -> list[str]:
    return adoption.candidates(type_, inputs, REGION, Sessions().client)


def tagged(kind: str) -> list[Any]:
    return [{"ResourceType": kind, "Tags": PAIRS}]


def client(service: str) -> Any:
    make: Any = boto3.client
    return make(service, region_name=REGION)


def test_every_type_of_the_programs_is_in_exactly_one_table() -> None:
    tables = [{*adoption.NAMED}, {*search_table.SEARCHES}, {*adoption.REPEATED}]

    assert sum(len(each) for each in tables) == len(TABLE)
    assert set.union(*tables) == {*TABLE}


@pytest.mark.parametrize(
    ("type_", "inputs", "expected"),
    [
        ("aws:s3/bucket:Bucket", {"bucket": "logs"}, "logs"),
        ("aws:cloudwatch/eventRule:EventRule", {"name": "changes", "eventBusName": "bus"}, "bus/changes"),
        ("aws:cloudwatch/eventRule:EventRule", {"name": "changes"}, "changes"),
        ("aws:lambda/permission:Permission", {"function": "pay", "statementId": "api"}, "pay/api"),
        (
            "aws:lambda/permission:Permission",
            {"function": "pay", "statementId": "api", "qualifier": "live"},
            "pay:live/api",
        ),
        ("aws:ec2/route:Route", {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0"}, "rtb-1_0.0.0.0/0"),
        ("aws:route53/record:Record", {"zoneId": "Z1", "name": "pay", "type": "A"}, "Z1_pay_A"),
        (
            "aws:route53/record:Record",
            {"zoneId": "Z1", "name": "pay", "type": "A", "setIdentifier": "primary"},
            "Z1_pay_A_primary",
        ),
    ],
)
def test_an_id_that_follows_from_the_arguments_takes_no_call(type_: str, inputs: dict[str, Any], expected: str) -> None:
    def refuse(service: str, region: str) -> Any:
        pytest.fail(f"{service} of {region} was asked")

    assert adoption.candidates(type_, inputs, REGION, refuse) == [expected]


def test_what_has_no_name_is_found_by_its_tags() -> None:
    ec2 = client("ec2")
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    ec2.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=tagged("vpc"))
    assert find("aws:ec2/vpc:Vpc", **VPC) == []

    ours = [ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("vpc"))["Vpc"]["VpcId"] for _ in range(2)]

    assert sorted(find("aws:ec2/vpc:Vpc", **VPC)) == sorted(ours)


def test_an_address_that_is_in_use_is_no_candidate() -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    address = ec2.allocate_address(Domain="vpc", TagSpecifications=tagged("elastic-ip"))["AllocationId"]
    assert find("aws:ec2/eip:Eip", domain="vpc", tagsAll=TAGS) == [address]

    gateway = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]

    assert find("aws:ec2/eip:Eip", domain="vpc", tagsAll=TAGS) == []
    assert find("aws:ec2/natGateway:NatGateway", subnetId=subnet, allocationId=address) == [gateway]
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    assert find("aws:ec2/natGateway:NatGateway", subnetId=subnet, allocationId=address) == []


def test_a_rule_is_found_by_ports_and_source() -> None:
    ec2 = client("ec2")
    group = ec2.create_security_group(GroupName="front", Description="any")["GroupId"]
    permissions = [
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        for port in (80, 443)
    ]
    made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)["SecurityGroupRules"]
    rule = {
        "securityGroupId": group,
        "ipProtocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
        "cidrIpv4": "0.0.0.0/0",
    }

    expected = [each["SecurityGroupRuleId"] for each in made if each["FromPort"] == 443]
    assert find("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", **rule) == expected
    assert find("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", **rule) == []


def test_a_key_is_found_by_description_and_tags_unless_it_is_to_be_deleted() -> None:
    kms = client("kms")
    pairs = [{"TagKey": key, "TagValue": value} for key, value in TAGS.items()]
    kms.create_key(Description="Data")
    made = kms.create_key(Description="Data", Tags=pairs)["KeyMetadata"]["KeyId"]
    assert find("aws:kms/key:Key", description="Data", tagsAll=TAGS) == [made]

    kms.schedule_key_deletion(KeyId=made)

    assert find("aws:kms/key:Key", description="Data", tagsAll=TAGS) == []


def test_an_imported_certificate_is_found_by_its_contents() -> None:
    acm = client("acm")
    pairs = [make_certificate("one.example.com") for _ in range(2)]
    arns = [acm.import_certificate(Certificate=pem, PrivateKey=key)["CertificateArn"] for pem, key in pairs]
    contents = pairs[1][0].decode().strip()

    found = find("aws:acm/certificate:Certificate", certificateBody=f"{contents}\n")

    assert found == arns[1:]


def test_a_requested_certificate_is_found_by_name_and_tags() -> None:
    acm = client("acm")
    acm.request_certificate(DomainName="pay.example.com")
    arn = acm.request_certificate(DomainName="pay.example.com", Tags=PAIRS)["CertificateArn"]

    assert find("aws:acm/certificate:Certificate", domainName="pay.example.com", tagsAll=TAGS) == [arn]


def test_an_item_is_found_by_the_key_in_it() -> None:
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="journal",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    item = {"pk": {"S": "role"}, "sk": {"S": "writer"}}
    inputs = {"tableName": "journal", "hashKey": "pk", "rangeKey": "sk", "item": json.dumps(item)}
    assert find("aws:dynamodb/tableItem:TableItem", **inputs) == []

    dynamodb.put_item(TableName="journal", Item=item)

    assert find("aws:dynamodb/tableItem:TableItem", **inputs) == ["journal,role,writer"]


def test_only_the_newest_version_of_a_layer_is_a_candidate() -> None:
    lambda_ = client("lambda")
    empty = b"PK\x05\x06" + bytes(18)
    versions = [
        lambda_.publish_layer_version(LayerName="libraries", Description="any", Content={"ZipFile": empty})
        for _ in range(2)
    ]

    newest = [versions[1]["LayerVersionArn"]]
    assert find("aws:lambda/layerVersion:LayerVersion", layerName="libraries") == newest
    assert find("aws:lambda/layerVersion:LayerVersion", layerName="libraries", description="any") == newest
    assert find("aws:lambda/layerVersion:LayerVersion", layerName="libraries", description="other") == []


def test_a_health_check_is_found_by_what_it_checks() -> None:
    route53 = client("route53")
    config = {"Type": "HTTPS", "FullyQualifiedDomainName": "api.example.com", "Port": 443, "ResourcePath": "/health"}
    other = {**config, "FullyQualifiedDomainName": "other.example.com"}
    made = [
        route53.create_health_check(CallerReference=str(at), HealthCheckConfig=each)["HealthCheck"]["Id"]
        for at, each in enumerate((config, other))
    ]

    found = find("aws:route53/healthCheck:HealthCheck", type="HTTPS", fqdn="api.example.com", resourcePath="/health")

    assert found == made[:1]


def test_a_zone_is_found_by_name_and_kind() -> None:
    route53 = client("route53")
    made = route53.create_hosted_zone(
        Name="dr.internal", CallerReference="1", HostedZoneConfig={"Comment": "ours", "PrivateZone": False}
    )
    zone = made["HostedZone"]["Id"].rpartition("/")[2]

    assert find("aws:route53/zone:Zone", name="dr.internal", comment="ours") == [zone]
    assert find("aws:route53/zone:Zone", name="dr.internal", comment="ours", vpcs=[{"vpcId": "vpc-1"}]) == []
