"""Routing: route tables, routes, addresses, NAT gateways."""

import zlib

from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Entry, Maybe, Tags


def _route_id(context: Context) -> str:
    """The provider makes a route's id from its table and its destination."""
    destination = context.get("in.destinationCidrBlock || in.destinationIpv6CidrBlock || in.destinationPrefixListId")
    return f"r-{context.inputs['routeTableId']}{zlib.crc32(str(destination).encode())}"


def _nat_address(context: Context) -> str:
    """The address of its allocation; a private gateway has none."""
    allocation = context.get("in.allocationId")
    if not allocation:
        return ""
    return str(context.call("describe_addresses", {"AllocationIds": [allocation]})["Addresses"][0]["PublicIp"])


_DESTINATION = {
    "RouteTableId": "{in.routeTableId}",
    "DestinationCidrBlock": "{in.destinationCidrBlock}",
    "DestinationIpv6CidrBlock": "{in.destinationIpv6CidrBlock}",
    "DestinationPrefixListId": "{in.destinationPrefixListId}",
}


_TARGETS = (
    "gatewayId",
    "natGatewayId",
    "networkInterfaceId",
    "transitGatewayId",
    "vpcEndpointId",
    "vpcPeeringConnectionId",
)


def _public_dns(address: str, region: str) -> str:
    area = "compute-1" if region == "us-east-1" else f"{region}.compute"
    return f"ec2-{address.replace('.', '-')}.{area}.amazonaws.com"


TYPES = {
    "aws:ec2/routeTable:RouteTable": Entry(
        service="ec2",
        create=Call("create_route_table", auto=ALL),
        puts=(
            Call(
                "create_route",
                {
                    "RouteTableId": "{id}",
                    "DestinationCidrBlock": "{each.cidrBlock}",
                    "DestinationIpv6CidrBlock": "{each.ipv6CidrBlock}",
                    "DestinationPrefixListId": "{each.destinationPrefixListId}",
                    "GatewayId": "{each.gatewayId}",
                    "NatGatewayId": "{each.natGatewayId}",
                    "VpcEndpointId": "{each.vpcEndpointId}",
                    "VpcPeeringConnectionId": "{each.vpcPeeringConnectionId}",
                    "TransitGatewayId": "{each.transitGatewayId}",
                },
                each="in.routes",
            ),
        ),
        id="{made.RouteTable.RouteTableId}",
        delete=(Call("delete_route_table", {"RouteTableId": "{id}"}),),
        tags=Tags(resource="{id}", kind="route-table"),
        outputs={"arn": "arn:aws:ec2:{region}:{account}:route-table/{id}", "ownerId": "{account}"},
    ),
    "aws:ec2/route:Route": Entry(
        service="ec2",
        create=Call("create_route", auto=ALL),
        id=_route_id,
        delete=(Call("delete_route", _DESTINATION),),
        update=(Call("replace_route", _DESTINATION, auto=_TARGETS),),
        outputs={
            "origin": "CreateRoute",
            "state": "active",
            "instanceId": "",
            "instanceOwnerId": "",
        },
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Entry(
        service="ec2",
        create=Call("associate_route_table", auto=ALL),
        id="{made.AssociationId}",
        delete=(Call("disassociate_route_table", {"AssociationId": "{id}"}),),
    ),
    "aws:ec2/eip:Eip": Entry(
        service="ec2",
        create=Call("allocate_address", auto=ALL),
        id="{made.AllocationId}",
        delete=(Call("release_address", {"AllocationId": "{id}"}),),
        tags=Tags(resource="{id}", kind="elastic-ip"),
        outputs={
            "allocationId": "{id}",
            "arn": "arn:aws:ec2:{region}:{account}:elastic-ip/{id}",
            "publicIp": "{made.PublicIp}",
            "associationId": "",
            "carrierIp": "",
            "customerOwnedIp": "",
            "privateDns": "",
            "privateIp": "",
            "ptrRecord": "",
            "publicDns": lambda context: _public_dns(context.out["publicIp"], context.region),
        },
    ),
    "aws:ec2/natGateway:NatGateway": Entry(
        service="ec2",
        create=Call("create_nat_gateway", auto=ALL),
        id="{made.NatGateway.NatGatewayId}",
        read=Call("describe_nat_gateways", {"NatGatewayIds": ["{id}"]}),
        delete=(Call("delete_nat_gateway", {"NatGatewayId": "{id}"}),),
        tags=Tags(resource="{id}", kind="natgateway"),
        outputs={
            "networkInterfaceId": Maybe(value="{found.NatGateways[0].NatGatewayAddresses[0].NetworkInterfaceId}"),
            "privateIp": Maybe(value="{found.NatGateways[0].NatGatewayAddresses[0].PrivateIp}"),
            "publicIp": _nat_address,
            "associationId": Maybe(value="{found.NatGateways[0].NatGatewayAddresses[0].AssociationId}"),
            "autoProvisionZones": "",
            "autoScalingIps": "",
            "regionalNatGatewayAddresses": [],
            "regionalNatGatewayAutoMode": "",
            "routeTableId": "",
        },
    ),
}
