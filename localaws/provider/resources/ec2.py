"""VPC networking: networks, subnets, internet gateways, endpoints."""

from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Do, Entry, Maybe, Tags


def _arn(kind: str) -> str:
    return f"arn:aws:ec2:{{region}}:{{account}}:{kind}/{{id}}"


def _vpc_flag(argument: str, attribute: str) -> Call:
    """AWS changes one attribute of a VPC at a time."""
    return Call("modify_vpc_attribute", {"VpcId": "{id}", attribute: {"Value": f"{{in.{argument}}}"}})


def _subnet_flag(argument: str, attribute: str) -> Call:
    return Call("modify_subnet_attribute", {"SubnetId": "{id}", attribute: {"Value": f"{{in.{argument}}}"}})


def _first(operation: str, result: str, key: str, filters: dict[str, str]) -> Any:
    """The field `key` of the one `result` that fits `filters`; empty when there is none."""

    def find(context: Context) -> str:
        asked = [{"Name": name, "Values": [context.text(value)]} for name, value in filters.items()]
        found = context.call(operation, {"Filters": asked})[result]
        return str(found[0][key]) if found else ""

    return find


def _detach_gateway(context: Context) -> None:
    """By what is attached, since the attachment may have been made elsewhere."""
    found = context.call("describe_internet_gateways", {"InternetGatewayIds": [context.id]})["InternetGateways"]
    for attachment in (found[0].get("Attachments") or []) if found else []:
        context.call("detach_internet_gateway", {"InternetGatewayId": context.id, "VpcId": attachment["VpcId"]})


_REMOTE_NAMES = {"allowRemoteVpcDnsResolution": "AllowDnsResolutionFromRemoteVpc"}
_CONNECTION = "found.VpcPeeringConnections[0]"
_READ = Call("describe_vpc_peering_connections", {"VpcPeeringConnectionIds": ["{id}"]})


def _accept(context: Context) -> dict[str, Any]:
    """Accept, if the program requests it; otherwise the connection stays pending."""
    connection = context.inputs["vpcPeeringConnectionId"]
    if context.inputs.get("autoAccept"):
        context.call("accept_vpc_peering_connection", {"VpcPeeringConnectionId": connection})
    return {}


def _side(side: str) -> Any:
    """The options of one side, as the provider shows them."""

    def options(context: Context) -> dict[str, bool]:
        found = context.get(f"{_CONNECTION}.{side}VpcInfo.PeeringOptions") or {}
        return {"allowRemoteVpcDnsResolution": bool(found.get("AllowDnsResolutionFromRemoteVpc"))}

    return options


_OPTIONS = Call(
    "modify_vpc_peering_connection_options",
    {
        "VpcPeeringConnectionId": "{in.vpcPeeringConnectionId}",
        "RequesterPeeringConnectionOptions": "{in.requester}",
        "AccepterPeeringConnectionOptions": "{in.accepter}",
    },
)
_STATE = {
    "acceptStatus": f"{{{_CONNECTION}.Status.Code}}",
    "accepter": _side("Accepter"),
    "requester": _side("Requester"),
}


TYPES = {
    "aws:ec2/vpc:Vpc": Entry(
        service="ec2",
        create=Call("create_vpc", auto=ALL),
        puts=(
            _vpc_flag("enableDnsSupport", "EnableDnsSupport"),
            _vpc_flag("enableDnsHostnames", "EnableDnsHostnames"),
        ),
        id="{made.Vpc.VpcId}",
        delete=(Call("delete_vpc", {"VpcId": "{id}"}),),
        defaults={"enableDnsSupport": True},
        tags=Tags(resource="{id}", kind="vpc"),
        outputs={
            "arn": _arn("vpc"),
            "ownerId": "{account}",
            "dhcpOptionsId": Maybe(value="{made.Vpc.DhcpOptionsId}"),
            "ipv6AssociationId": Maybe(value="{made.Vpc.Ipv6CidrBlockAssociationSet[0].AssociationId}"),
            "mainRouteTableId": _first(
                "describe_route_tables",
                "RouteTables",
                "RouteTableId",
                {"vpc-id": "{id}", "association.main": "true"},
            ),
            "defaultRouteTableId": "{out.mainRouteTableId}",
            "defaultNetworkAclId": _first(
                "describe_network_acls", "NetworkAcls", "NetworkAclId", {"vpc-id": "{id}", "default": "true"}
            ),
            "defaultSecurityGroupId": _first(
                "describe_security_groups", "SecurityGroups", "GroupId", {"vpc-id": "{id}", "group-name": "default"}
            ),
        },
    ),
    "aws:ec2/subnet:Subnet": Entry(
        service="ec2",
        create=Call("create_subnet", auto=ALL),
        puts=(_subnet_flag("mapPublicIpOnLaunch", "MapPublicIpOnLaunch"),),
        id="{made.Subnet.SubnetId}",
        delete=(Call("delete_subnet", {"SubnetId": "{id}"}),),
        defaults={"mapPublicIpOnLaunch": False},
        tags=Tags(resource="{id}", kind="subnet"),
        outputs={
            "arn": _arn("subnet"),
            "ownerId": "{account}",
            "availabilityZone": "{made.Subnet.AvailabilityZone}",
            "availabilityZoneId": "{made.Subnet.AvailabilityZoneId}",
            "ipv6CidrBlockAssociationId": Maybe(value="{made.Subnet.Ipv6CidrBlockAssociationSet[0].AssociationId}"),
        },
    ),
    "aws:ec2/internetGateway:InternetGateway": Entry(
        service="ec2",
        create=Call("create_internet_gateway"),
        puts=(Call("attach_internet_gateway", {"InternetGatewayId": "{id}", "VpcId": "{in.vpcId}"}),),
        id="{made.InternetGateway.InternetGatewayId}",
        delete=(Do(_detach_gateway), Call("delete_internet_gateway", {"InternetGatewayId": "{id}"})),
        tags=Tags(resource="{id}", kind="internet-gateway"),
        outputs={"arn": _arn("internet-gateway"), "ownerId": "{account}"},
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Entry(
        service="ec2",
        create=Call("create_vpc_endpoint", auto=ALL),
        id="{made.VpcEndpoint.VpcEndpointId}",
        read=Call("describe_vpc_endpoints", {"VpcEndpointIds": ["{id}"]}),
        delete=(Call("delete_vpc_endpoints", {"VpcEndpointIds": ["{id}"]}),),
        rename={"policy": "PolicyDocument"},
        provider_only={"autoAccept": "accepts the connection on the service's side, for services of the account"},
        tags=Tags(resource="{id}", kind="vpc-endpoint"),
        outputs={
            "arn": _arn("vpc-endpoint"),
            "ownerId": "{account}",
            "state": "{found.VpcEndpoints[0].State}",
            "cidrBlocks": [],
            "dnsEntries": lambda context: [
                {"dnsName": entry["DnsName"], "hostedZoneId": entry.get("HostedZoneId", "")}
                for entry in context.get("found.VpcEndpoints[0].DnsEntries") or []
            ],
            "networkInterfaceIds": Maybe(value="{found.VpcEndpoints[0].NetworkInterfaceIds}", otherwise=[]),
            "prefixListId": _first(
                "describe_prefix_lists", "PrefixLists", "PrefixListId", {"prefix-list-name": "{in.serviceName}"}
            ),
            "requesterManaged": False,
        },
    ),
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": Entry(
        service="ec2",
        create=Call(
            "create_vpc_peering_connection",
            {
                "VpcId": "{in.vpcId}",
                "PeerVpcId": "{in.peerVpcId}",
                "PeerRegion": "{in.peerRegion}",
                "PeerOwnerId": "{in.peerOwnerId}",
            },
        ),
        # Within a region the requester may accept by itself; AWS refuses it across regions.
        puts=(Call("accept_vpc_peering_connection", {"VpcPeeringConnectionId": "{id}"}, when=("in.autoAccept",)),),
        id="{made.VpcPeeringConnection.VpcPeeringConnectionId}",
        read=_READ,
        delete=(Call("delete_vpc_peering_connection", {"VpcPeeringConnectionId": "{id}"}),),
        tags=Tags(resource="{id}", kind="vpc-peering-connection"),
        outputs={
            **_STATE,
            "peerOwnerId": f"{{{_CONNECTION}.AccepterVpcInfo.OwnerId}}",
            "peerRegion": f"{{{_CONNECTION}.AccepterVpcInfo.Region}}",
        },
    ),
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": Entry(
        service="ec2",
        create=Do(_accept, takes=("vpcPeeringConnectionId", "autoAccept")),
        update=(Do(_accept, takes=("autoAccept",)),),
        id="{in.vpcPeeringConnectionId}",
        read=_READ,
        delete=(),  # the connection goes with its request
        tags=Tags(resource="{id}", kind="vpc-peering-connection", inline=False),
        outputs={
            **_STATE,
            "vpcId": f"{{{_CONNECTION}.AccepterVpcInfo.VpcId}}",
            "peerVpcId": f"{{{_CONNECTION}.RequesterVpcInfo.VpcId}}",
            "peerOwnerId": f"{{{_CONNECTION}.RequesterVpcInfo.OwnerId}}",
            "peerRegion": f"{{{_CONNECTION}.RequesterVpcInfo.Region}}",
        },
    ),
    "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions": Entry(
        service="ec2",
        create=_OPTIONS,
        update=(_OPTIONS,),
        id="{in.vpcPeeringConnectionId}",
        read=_READ,
        delete=(),  # options go with the connection
        rename=_REMOTE_NAMES,
        outputs={"accepter": _side("Accepter"), "requester": _side("Requester")},
    ),
    "aws:ec2/flowLog:FlowLog": Entry(
        service="ec2",
        create=Call("create_flow_logs", {"ResourceIds": ["{in.vpcId}"], "ResourceType": "VPC"}, auto=ALL),
        id="{made.FlowLogIds[0]}",
        read=Call("describe_flow_logs", {"FlowLogIds": ["{id}"]}),
        delete=(Call("delete_flow_logs", {"FlowLogIds": ["{id}"]}),),
        rename={"iamRoleArn": "DeliverLogsPermissionArn"},
        defaults={"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600},
        tags=Tags(resource="{id}", kind="vpc-flow-log"),
        outputs={"arn": "arn:aws:ec2:{region}:{account}:vpc-flow-log/{id}"},
    ),
}
