"""VPC peering between regions, with options, overlap checks and each side's address ranges.

ministack shows neither ranges nor options, lacks ModifyVpcPeeringConnectionOptions, and lets ranges overlap.
"""

import ipaddress
from collections.abc import Callable
from typing import Any

from localaws import emulator
from localaws.emulator.ec2 import Ec2Call
from localaws.emulator.services import Answer, AwsRefusal
from localaws.services.api_model import Document, complete, ec2_response

Record = dict[str, Any]

_OPTIONS = (
    "AllowDnsResolutionFromRemoteVpc",
    "AllowEgressFromLocalClassicLinkToRemoteVpc",
    "AllowEgressFromLocalVpcToRemoteClassicLink",
)


def install() -> None:
    emulator.ec2.extend_ec2_action("CreateVpcPeeringConnection", _create)
    emulator.ec2.extend_ec2_action("AcceptVpcPeeringConnection", _accept)
    emulator.ec2.extend_ec2_action("DescribeVpcPeeringConnections", _describe)
    emulator.ec2.extend_ec2_action("ModifyVpcPeeringConnectionOptions", _modify)


def _create(call: Ec2Call, original: Callable[[], Answer]) -> Answer:
    """A connection whose ranges overlap, or whose peer does not exist, fails at once [VPC-10]."""
    own = emulator.ec2.ec2_records("vpc", call.account, call.region).get(call.text("VpcId"))
    if own is None:
        raise AwsRefusal("InvalidVpcID.NotFound", f"The vpc ID '{call.text('VpcId')}' does not exist")
    known = set(emulator.ec2.ec2_records("peering", call.account, call.region))
    answer = original()
    for made in set(emulator.ec2.ec2_records("peering", call.account, call.region)) - known:
        sides = _sides(call, made)
        peer = _vpc(sides[0]["AccepterVpcInfo"])
        if peer is None or _overlap(own["CidrBlock"], peer["CidrBlock"]):
            for record in sides:
                record["Status"] = {
                    "Code": "failed",
                    "Message": "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range",
                }
    return _with_sides(call, "CreateVpcPeeringConnection", answer)


def _accept(call: Ec2Call, original: Callable[[], Answer]) -> Answer:
    record = _record(call)
    region = record["AccepterVpcInfo"]["Region"]
    if call.region != region:
        raise AwsRefusal(
            "OperationNotPermitted",
            f"Incorrect region ({call.region}) specified for this request. VPC peering connection "
            f"{record['VpcPeeringConnectionId']} must be accepted in region {region}",
        )
    if record["Status"]["Code"] not in ("pending-acceptance", "active"):
        raise AwsRefusal("InvalidStateTransition", f"The connection is {record['Status']['Code']}")
    return _with_sides(call, "AcceptVpcPeeringConnection", original())


def _describe(call: Ec2Call, original: Callable[[], Answer]) -> Answer:
    return _with_sides(call, "DescribeVpcPeeringConnections", original())


def _modify(call: Ec2Call, _original: Callable[[], Answer]) -> Answer:
    """Each side's options, through its own region (API EC2.ModifyVpcPeeringConnectionOptions)."""
    record = _record(call)
    identity = record["VpcPeeringConnectionId"]
    if record["Status"]["Code"] != "active":
        raise AwsRefusal(
            "OperationNotPermitted",
            f"Peering {identity} is not active. Peering options can be added only to active peerings.",
        )
    response = {}
    for side in ("Requester", "Accepter"):
        prefix = f"{side}PeeringConnectionOptions"
        wanted = {option: text == "true" for option in _OPTIONS if (text := call.text(f"{prefix}.{option}"))}
        if not wanted:
            continue
        region = record[f"{side}VpcInfo"]["Region"]
        if call.region != region:
            reason = f"The {side.lower()}'s options of {identity} are changed in region {region}"
            raise AwsRefusal("OperationNotPermitted", reason)
        for each in _sides(call, identity):
            each.setdefault("Options", {}).setdefault(side, {}).update(wanted)
        response[prefix] = wanted
    return 200, {"Content-Type": "application/xml"}, ec2_response("ModifyVpcPeeringConnectionOptions", response)


def _record(call: Ec2Call) -> Record:
    identity = call.text("VpcPeeringConnectionId")
    record = emulator.ec2.ec2_records("peering", call.account, call.region).get(identity)
    if record is None:
        raise AwsRefusal(
            "InvalidVpcPeeringConnectionID.NotFound", f"The VPC peering connection '{identity}' does not exist"
        )
    return record


def _sides(call: Ec2Call, identity: str) -> list[Record]:
    """The connection as each of its regions keeps it."""
    record = emulator.ec2.ec2_records("peering", call.account, call.region)[identity]
    ends = {(info["OwnerId"], info["Region"]) for info in (record["RequesterVpcInfo"], record["AccepterVpcInfo"])}
    found = (emulator.ec2.ec2_records("peering", *end).get(identity) for end in sorted(ends))
    return [side for side in found if side is not None]


def _vpc(info: dict[str, str]) -> Record | None:
    return emulator.ec2.ec2_records("vpc", info["OwnerId"], info["Region"]).get(info["VpcId"])


def _overlap(one: str, other: str) -> bool:
    return ipaddress.ip_network(one).overlaps(ipaddress.ip_network(other))


def _with_sides(call: Ec2Call, operation: str, answer: Answer) -> Answer:
    """`answer` with each side's address ranges and options; the accepter's ranges show once it has accepted."""
    records = emulator.ec2.ec2_records("peering", call.account, call.region)

    def add_sides(response: Document) -> None:
        one = response.get("VpcPeeringConnection")
        for connection in [one] if one else response.get("VpcPeeringConnections", ()):
            record = records[connection["VpcPeeringConnectionId"]]
            for side in ("Requester", "Accepter"):
                info = connection[f"{side}VpcInfo"]
                info["PeeringOptions"] = dict.fromkeys(_OPTIONS, False) | record.get("Options", {}).get(side, {})
                shows_ranges = side == "Requester" or record["Status"]["Code"] == "active"
                if shows_ranges and (vpc := _vpc(record[f"{side}VpcInfo"])):
                    info |= {"CidrBlock": vpc["CidrBlock"], "CidrBlockSet": [{"CidrBlock": vpc["CidrBlock"]}]}

    return complete(operation, answer, add_sides)
