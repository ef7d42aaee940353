"""Interface endpoints with network interfaces, security groups and the names that AWS gives them.

ministack keeps an endpoint's service and subnets only. Nothing listens behind the names: functions call AWS at this
machine's own address.
"""

import ipaddress
import secrets
from collections.abc import Callable
from typing import Any

from localaws import emulator
from localaws.emulator.ec2 import Ec2Call
from localaws.emulator.services import Answer, AwsRefusal
from localaws.services.api_model import Document, complete

Record = dict[str, Any]

# Hosted zones of vpce.amazonaws.com, as DescribeVpcEndpoints answers them in each region.
VPCE_ZONES = {"us-east-1": "Z7HUB22UULQXV", "us-east-2": "ZC8PG0KIFKBRI", "us-west-2": "Z1YSA3EXCYUU9Z"}
_FIRST_FREE = 4  # AWS keeps a subnet's first four addresses [VPC-9]
_FULL_ACCESS = '{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}'


def install() -> None:
    emulator.ec2.extend_ec2_action("CreateVpcEndpoint", _create)
    emulator.ec2.extend_ec2_action("ModifyVpcEndpoint", _modify)
    emulator.ec2.extend_ec2_action("DeleteVpcEndpoints", _delete)
    emulator.ec2.extend_ec2_action("DescribeVpcEndpoints", _describe)


def _create(call: Ec2Call, original: Callable[[], Answer]) -> Answer:
    interface = call.text("VpcEndpointType") == "Interface"
    private = interface and call.text("PrivateDnsEnabled") != "false"  # true by default
    if private:
        _check_private_names(call, call.text("VpcId"), call.text("ServiceName"))
    known = set(emulator.ec2.ec2_records("endpoint", call.account, call.region))
    _check_subnets(call, call.texts("SubnetId"))
    answer = original()
    for identity, record in emulator.ec2.ec2_records("endpoint", call.account, call.region).items():
        if identity in known:
            continue
        record["PolicyDocument"] = call.text("PolicyDocument") or _FULL_ACCESS
        if interface:
            record |= {"PrivateDns": private, "Label": f"{identity}-{secrets.token_hex(4)}", "NetworkInterfaces": {}}
            record["Groups"] = call.texts("SecurityGroupId") or _default_groups(call, record["VpcId"])
            _connect(call, record)
    return _with_names(call, "CreateVpcEndpoint", answer)


def _describe(call: Ec2Call, original: Callable[[], Answer]) -> Answer:
    return _with_names(call, "DescribeVpcEndpoints", original())


def _modify(call: Ec2Call, original: Callable[[], Answer]) -> Answer:
    _check_subnets(call, call.texts("AddSubnetId"))
    answer = original()
    record = emulator.ec2.ec2_records("endpoint", call.account, call.region).get(call.text("VpcEndpointId"))
    if record is None or "Label" not in record:
        return answer
    if (wanted := call.text("PrivateDnsEnabled")) and wanted == "true" and not record["PrivateDns"]:
        _check_private_names(call, record["VpcId"], record["ServiceName"])
    record["PrivateDns"] = wanted == "true" if wanted else record["PrivateDns"]
    kept = [group for group in record["Groups"] if group not in call.texts("RemoveSecurityGroupId")]
    record["Groups"] = kept + [group for group in call.texts("AddSecurityGroupId") if group not in kept]
    _connect(call, record)
    return answer


def _delete(call: Ec2Call, original: Callable[[], Answer]) -> Answer:
    records = emulator.ec2.ec2_records("endpoint", call.account, call.region)
    for identity in call.texts("VpcEndpointId"):
        for interface in records.get(identity, {}).get("NetworkInterfaces", {}).values():
            emulator.ec2.remove_network_interface(interface)
    return original()


def _check_private_names(call: Ec2Call, vpc_id: str, service: str) -> None:
    """Private names need both DNS attributes of the VPC, and belong to one endpoint only."""
    vpc = emulator.ec2.ec2_records("vpc", call.account, call.region).get(vpc_id)
    if vpc is None:
        raise AwsRefusal("InvalidVpcId.NotFound", f"The Vpc Id {vpc_id} does not exist")
    if not (vpc.get("EnableDnsSupport", True) and vpc.get("EnableDnsHostnames", False)):
        raise AwsRefusal(
            "InvalidParameter",
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true "
            f"for {vpc_id}",
        )
    for record in emulator.ec2.ec2_records("endpoint", call.account, call.region).values():
        if record.get("PrivateDns") and (record["VpcId"], record["ServiceName"]) == (vpc_id, service):
            raise AwsRefusal(
                "InvalidParameter",
                "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
                f"{_private_name(service, call.region)} in the VPC {vpc_id}",
            )


def _check_subnets(call: Ec2Call, subnets: list[str]) -> None:
    known = emulator.ec2.ec2_records("subnet", call.account, call.region)
    for subnet in subnets:
        if subnet not in known:
            raise AwsRefusal("InvalidSubnetId.NotFound", f"The subnet ID '{subnet}' does not exist")


def _default_groups(call: Ec2Call, vpc_id: str) -> list[str]:
    groups = emulator.ec2.ec2_records("security group", call.account, call.region)
    return [
        identity for identity, group in groups.items() if group["VpcId"] == vpc_id and group["GroupName"] == "default"
    ]


def _connect(call: Ec2Call, record: Record) -> None:
    """One network interface per subnet of `record`, no more."""
    interfaces: dict[str, str] = record["NetworkInterfaces"]
    for subnet in [subnet for subnet in interfaces if subnet not in record["SubnetIds"]]:
        emulator.ec2.remove_network_interface(interfaces.pop(subnet))
    subnets = emulator.ec2.ec2_records("subnet", call.account, call.region)
    for subnet in record["SubnetIds"]:
        if subnet not in interfaces:
            description = f"VPC Endpoint Interface {record['VpcEndpointId']}"
            address = _free_address(call, subnet, subnets[subnet]["CidrBlock"])
            made = emulator.ec2.make_network_interface(call, subnet, record["Groups"], description)
            made |= {"InterfaceType": "vpc_endpoint", "Status": "in-use", "PrivateIpAddress": address}
            interfaces[subnet] = made["NetworkInterfaceId"]
    record["Zones"] = sorted({subnets[subnet]["AvailabilityZone"] for subnet in record["SubnetIds"]})
    record["Region"] = call.region


def _free_address(call: Ec2Call, subnet: str, block: str) -> str:
    interfaces = emulator.ec2.ec2_records("interface", call.account, call.region).values()
    taken = {each["PrivateIpAddress"] for each in interfaces if each["SubnetId"] == subnet}
    hosts = list(ipaddress.ip_network(block))[_FIRST_FREE:-1]
    return next(str(host) for host in hosts if str(host) not in taken)


def _with_names(call: Ec2Call, operation: str, answer: Answer) -> Answer:
    """`answer` with each endpoint's policy and, of an interface endpoint, its groups, interfaces and names."""
    records = emulator.ec2.ec2_records("endpoint", call.account, call.region)

    def add_names(response: Document) -> None:
        one = response.get("VpcEndpoint")
        for endpoint in [one] if one else response.get("VpcEndpoints", ()):
            record = records[endpoint["VpcEndpointId"]]
            endpoint["PolicyDocument"] = record.get("PolicyDocument", _FULL_ACCESS)
            if "Label" in record:
                names = [{"DnsName": name, "HostedZoneId": zone} for name, zone in _names(record)]
                endpoint |= {
                    "PrivateDnsEnabled": record["PrivateDns"],
                    "RequesterManaged": False,
                    "IpAddressType": "ipv4",
                    "Groups": [{"GroupId": group} for group in record["Groups"]],
                    "NetworkInterfaceIds": list(record["NetworkInterfaces"].values()),
                    "DnsEntries": names,
                }

    return complete(operation, answer, add_names)


def _names(record: Record) -> list[tuple[str, str]]:
    """Name and hosted zone: regional, one per zone and, with private DNS, the service's own.

    Their names are built as AWS builds them [PRIVATELINK-1].
    """
    region, zone = record["Region"], VPCE_ZONES.get(record["Region"], "")
    suffix = f"{_service(record['ServiceName'], region)}.{region}.vpce.amazonaws.com"
    names = [(f"{record['Label']}.{suffix}", zone)]
    names += [(f"{record['Label']}-{place}.{suffix}", zone) for place in record["Zones"]]
    if record["PrivateDns"]:
        names.append((_private_name(record["ServiceName"], region), f"Z{record['VpcEndpointId'][5:].upper()}"))
    return names


def _service(service_name: str, region: str) -> str:
    """A service of several words has them reversed in names: `ecr.dkr` is `dkr.ecr`."""
    words = service_name.removeprefix(f"com.amazonaws.{region}.").split(".")
    return ".".join(reversed(words))


def _private_name(service_name: str, region: str) -> str:
    return f"{_service(service_name, region)}.{region}.amazonaws.com"
