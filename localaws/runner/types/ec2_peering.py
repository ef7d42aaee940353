"""VPC peering: asked for in one region, accepted in the other, with each side's own options."""

from typing import Any

from localaws.runner.context import Context
from localaws.runner.table import Call, Do, Entry, Tags

_REMOTE_NAMES = {"allowRemoteVpcDnsResolution": "AllowDnsResolutionFromRemoteVpc"}
_CONNECTION = "found.VpcPeeringConnections[0]"
_READ = Call("describe_vpc_peering_connections", {"VpcPeeringConnectionIds": ["{id}"]})


def _accept(context: Context) -> dict[str, Any]:
    """Accept, if the program wants that; the other outcome is a connection that still waits."""
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
}
