"""VPC peering as EC2 has it: who may accept, address ranges once active, options by side.

ministack makes and accepts connections; it lets the requester's region accept, shows no address ranges, lacks
ModifyVpcPeeringConnectionOptions, and asks nobody whether the ranges overlap.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from localaws import emulator
from localaws.emulator.ec2 import Ec2Call
from localaws.emulator.services import Answer, AwsRefusal

Record = dict[str, Any]

_OPTIONS = (
    "AllowDnsResolutionFromRemoteVpc",
    "AllowEgressFromLocalClassicLinkToRemoteVpc",
    "AllowEgressFromLocalVpcToRemoteClassicLink",
)
_SHOWN = re.compile(
    r"(<vpcPeeringConnectionId>(pcx-\w+)</vpcPeeringConnectionId>\s*<requesterVpcInfo>.*?)(</requesterVpcInfo>\s*"
    r"<accepterVpcInfo>.*?)(</accepterVpcInfo>)",
    re.DOTALL,
)


def install() -> None:
    emulator.ec2.extend_ec2_action("CreateVpcPeeringConnection", _create)
    emulator.ec2.extend_ec2_action("AcceptVpcPeeringConnection", _accept)
    emulator.ec2.extend_ec2_action("DescribeVpcPeeringConnections", lambda call, original: _complete(call, original()))
    emulator.ec2.extend_ec2_action("ModifyVpcPeeringConnectionOptions", _modify)


def _create(call: Ec2Call, original: Callable[[], Answer]) -> Answer:
    """A connection whose ranges overlap, or whose peer is not there, fails at once [VPC-10]."""
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
    return _complete(call, answer)


def _accept(call: Ec2Call, original: Callable[[], Answer]) -> Answer:
    record = _record(call)
    home = record["AccepterVpcInfo"]["Region"]
    if call.region != home:
        raise AwsRefusal(
            "OperationNotPermitted",
            f"Incorrect region ({call.region}) specified for this request. VPC peering connection "
            f"{record['VpcPeeringConnectionId']} must be accepted in region {home}",
        )
    if record["Status"]["Code"] not in ("pending-acceptance", "active"):
        raise AwsRefusal("InvalidStateTransition", f"The connection is {record['Status']['Code']}")
    return _complete(call, original())


def _modify(call: Ec2Call, _original: Callable[[], Answer]) -> Answer:
    """Each side's options, through its own region (API EC2.ModifyVpcPeeringConnectionOptions)."""
    record = _record(call)
    identity = record["VpcPeeringConnectionId"]
    if record["Status"]["Code"] != "active":
        raise AwsRefusal(
            "OperationNotPermitted",
            f"Peering {identity} is not active. Peering options can be added only to active peerings.",
        )
    shown = ""
    for side in ("Requester", "Accepter"):
        prefix = f"{side}PeeringConnectionOptions"
        wanted = {option: text == "true" for option in _OPTIONS if (text := call.text(f"{prefix}.{option}"))}
        if not wanted:
            continue
        home = record[f"{side}VpcInfo"]["Region"]
        if call.region != home:
            raise AwsRefusal(
                "OperationNotPermitted", f"The {side.lower()}'s options of {identity} are changed in region {home}"
            )
        for each in _sides(call, identity):
            each.setdefault("Options", {}).setdefault(side, {}).update(wanted)
        shown += f"<{prefix[0].lower()}{prefix[1:]}>{_flags(wanted)}</{prefix[0].lower()}{prefix[1:]}>"
    return call.answer(shown)


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


def _complete(call: Ec2Call, answer: Answer) -> Answer:
    """`answer` with each side's address ranges and options; the accepter's ranges show once it has accepted."""
    status, headers, body = answer
    records = emulator.ec2.ec2_records("peering", call.account, call.region)

    def fill(shown: re.Match[str]) -> str:
        record = records[shown[2]]
        accepted = record["Status"]["Code"] == "active"
        return (
            f"{shown[1]}{_info(record, 'Requester', ranges=True)}"
            f"{shown[3]}{_info(record, 'Accepter', ranges=accepted)}{shown[4]}"
        )

    return status, headers, _SHOWN.sub(fill, body.decode()).encode()


def _info(record: Record, side: str, *, ranges: bool) -> str:
    vpc = _vpc(record[f"{side}VpcInfo"]) if ranges else None
    block = vpc["CidrBlock"] if vpc else ""
    shown = f"<cidrBlock>{block}</cidrBlock>" if block else ""
    shown += f"<cidrBlockSet><item><cidrBlock>{block}</cidrBlock></item></cidrBlockSet>" if block else ""
    options = record.get("Options", {}).get(side, {})
    return f"{shown}<peeringOptions>{_flags(dict.fromkeys(_OPTIONS, False) | options)}</peeringOptions>"


def _flags(options: dict[str, bool]) -> str:
    words = ((f"{name[0].lower()}{name[1:]}", str(value).lower()) for name, value in options.items())
    return "".join(f"<{name}>{value}</{name}>" for name, value in words)
