"""VPC networking and security groups."""

from typing import Any

from tests.runner.cases import Case, Client, Reading

PROGRAM = """
vpc = aws.ec2.Vpc("app", cidr_block="10.0.0.0/16", enable_dns_hostnames=True, opts=opts)
subnet = aws.ec2.Subnet(
    "a", vpc_id=vpc.id, cidr_block="10.0.0.0/24", availability_zone="us-east-1a", map_public_ip_on_launch=True,
    opts=opts,
)
gateway = aws.ec2.InternetGateway("gateway", vpc_id=vpc.id, opts=opts)
public = aws.ec2.RouteTable(
    "public", vpc_id=vpc.id, routes=[{"cidr_block": "0.0.0.0/0", "gateway_id": gateway.id}], opts=opts
)
address = aws.ec2.Eip("address", domain="vpc", opts=opts)
nat = aws.ec2.NatGateway("nat", subnet_id=subnet.id, allocation_id=address.id, opts=opts)
private = aws.ec2.RouteTable("private", vpc_id=vpc.id, opts=opts)
route = aws.ec2.Route(
    "out", route_table_id=private.id, destination_cidr_block="0.0.0.0/0", nat_gateway_id=nat.id, opts=opts
)
association = aws.ec2.RouteTableAssociation("a", route_table_id=private.id, subnet_id=subnet.id, opts=opts)
group = aws.ec2.SecurityGroup(
    "ingress",
    vpc_id=vpc.id,
    description="the ingress",
    ingress=[{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]}],
    opts=opts,
)
back = aws.ec2.SecurityGroup("back", vpc_id=vpc.id, opts=opts)
allow = aws.vpc.SecurityGroupIngressRule(
    "in", security_group_id=back.id, ip_protocol="tcp", from_port=80, to_port=81,
    referenced_security_group_id=group.id, description="from the ingress", opts=opts,
)
out = aws.vpc.SecurityGroupEgressRule(
    "out", security_group_id=back.id, ip_protocol="-1", cidr_ipv4="0.0.0.0/0", opts=opts
)
endpoint = aws.ec2.VpcEndpoint(
    "s3", vpc_id=vpc.id, service_name="com.amazonaws.us-east-1.s3", route_table_ids=[private.id], opts=opts
)
for name, made in {
    "vpc": vpc, "subnet": subnet, "gateway": gateway, "public": public, "address": address, "nat": nat,
    "private": private, "association": association, "group": group, "back": back, "allow": allow, "out": out,
    "endpoint": endpoint,
}.items():
    pulumi.export(name, made.id)
pulumi.export("main", vpc.main_route_table_id)
pulumi.export("nat_address", nat.public_ip)
pulumi.export("public_address", address.public_ip)
"""

CASE = Case(
    PROGRAM,
    {
        "aws:ec2/vpc:Vpc": Reading(
            lambda aws, out: {
                **aws("ec2").describe_vpcs(VpcIds=[out["vpc"]])["Vpcs"][0],
                **aws("ec2").describe_vpc_attribute(VpcId=out["vpc"], Attribute="enableDnsHostnames"),
            },
            {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": {"Value": True}},
        ),
        "aws:ec2/subnet:Subnet": Reading(
            lambda aws, out: aws("ec2").describe_subnets(SubnetIds=[out["subnet"]])["Subnets"][0],
            {"CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1a", "MapPublicIpOnLaunch": True},
        ),
        "aws:ec2/internetGateway:InternetGateway": Reading(
            lambda aws, out: aws("ec2").describe_internet_gateways(InternetGatewayIds=[out["gateway"]])[
                "InternetGateways"
            ][0]["Attachments"][0],
            {"State": "available"},
        ),
        "aws:ec2/routeTable:RouteTable": Reading(
            lambda aws, out: _route(aws, out["public"], out["gateway"]), {"DestinationCidrBlock": "0.0.0.0/0"}
        ),
        "aws:ec2/route:Route": Reading(
            lambda aws, out: _default_route(aws, out), {"DestinationCidrBlock": "0.0.0.0/0", "Target": "nat"}
        ),
        "aws:ec2/routeTableAssociation:RouteTableAssociation": Reading(
            lambda aws, out: aws("ec2").describe_route_tables(RouteTableIds=[out["private"]])["RouteTables"][0][
                "Associations"
            ][0],
            {"Main": False},
        ),
        "aws:ec2/eip:Eip": Reading(
            lambda aws, out: aws("ec2").describe_addresses(AllocationIds=[out["address"]])["Addresses"][0],
            {"Domain": "vpc"},
        ),
        "aws:ec2/natGateway:NatGateway": Reading(
            lambda aws, out: {
                **aws("ec2").describe_nat_gateways(
                    NatGatewayIds=[out["nat"]], Filters=[{"Name": "state", "Values": ["available"]}]
                )["NatGateways"][0],
                "SameAddress": out["nat_address"] == out["public_address"],
            },
            {"ConnectivityType": "public", "SameAddress": True},
        ),
        "aws:ec2/vpcEndpoint:VpcEndpoint": Reading(
            lambda aws, out: aws("ec2").describe_vpc_endpoints(VpcEndpointIds=[out["endpoint"]])["VpcEndpoints"][0],
            {"VpcEndpointType": "Gateway", "ServiceName": "com.amazonaws.us-east-1.s3"},
        ),
        "aws:ec2/securityGroup:SecurityGroup": Reading(
            lambda aws, out: {**(group := _group(aws, out["group"])), "Ingress": group["IpPermissions"][0]["FromPort"]},
            {"Description": "the ingress", "Ingress": 443, "IpPermissionsEgress": []},
        ),
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": Reading(
            lambda aws, out: {
                **(rule := _group(aws, out["back"])["IpPermissions"][0]),
                "From": rule["UserIdGroupPairs"][0]["Description"],
            },
            {"FromPort": 80, "ToPort": 81, "From": "from the ingress"},
        ),
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": Reading(
            lambda aws, out: _group(aws, out["back"])["IpPermissionsEgress"][0],
            {"IpProtocol": "-1"},
        ),
    },
    edits=(
        ("from_port=80, to_port=81", "from_port=80, to_port=82"),
        ('description="from the ingress"', 'description="from the balancer"'),
        ("map_public_ip_on_launch=True", "map_public_ip_on_launch=False"),
        ("enable_dns_hostnames=True", "enable_dns_hostnames=False"),
        (
            '"from_port": 443, "to_port": 443, "cidr_blocks": ["0.0.0.0/0"]',
            '"from_port": 444, "to_port": 444, "cidr_blocks": ["10.0.0.0/8"]',
        ),
        (
            'destination_cidr_block="0.0.0.0/0", nat_gateway_id=nat.id',
            'destination_cidr_block="0.0.0.0/0", gateway_id=gateway.id',
        ),
    ),
    changed={
        "aws:ec2/subnet:Subnet": {"MapPublicIpOnLaunch": False},
        "aws:ec2/vpc:Vpc": {"EnableDnsHostnames": {"Value": False}},
        "aws:ec2/securityGroup:SecurityGroup": {"Ingress": 444},
        "aws:ec2/route:Route": {"Target": "gateway"},
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {"ToPort": 82, "From": "from the balancer"},
    },
)


def _group(aws: Client, identity: str) -> Any:
    return aws("ec2").describe_security_groups(GroupIds=[identity])["SecurityGroups"][0]


def _default_route(aws: Client, out: dict[str, Any]) -> Any:
    routes = aws("ec2").describe_route_tables(RouteTableIds=[out["private"]])["RouteTables"][0]["Routes"]
    found = next(route for route in routes if route["DestinationCidrBlock"] == "0.0.0.0/0")
    targets = {out["nat"]: "nat", out["gateway"]: "gateway"}
    return {**found, "Target": targets[found.get("NatGatewayId") or found.get("GatewayId")]}


def _route(aws: Client, table: str, target: str) -> Any:
    routes = aws("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    return next(route for route in routes if target in (route.get("GatewayId"), route.get("NatGatewayId")))
