"""Accelerators, listeners, endpoint groups. The API answers in us-west-2 only."""

from typing import Any

from localaws.provider.context import Context
from localaws.provider.table import ALL, Call, Do, Entry, Name, Tags

_REGION = "us-west-2"
# One zone for every accelerator: https://docs.aws.amazon.com/general/latest/gr/global_accelerator.html
_ZONE = "Z2BJ6XQ5FK7U4H"


def _ip_sets(context: Context) -> list[dict[str, Any]]:
    sets = context.get("found.Accelerator.IpSets") or []
    return [
        {"ipFamily": item.get("IpFamily") or item.get("IpAddressFamily", ""), "ipAddresses": item["IpAddresses"]}
        for item in sets
    ]


def _delete(context: Context) -> None:
    """Only a disabled accelerator can be deleted."""
    context.call("update_accelerator", {"AcceleratorArn": context.id, "Enabled": False})
    context.call("delete_accelerator", {"AcceleratorArn": context.id})


_GROUP = (
    "endpointConfigurations",
    "healthCheckIntervalSeconds",
    "healthCheckPath",
    "healthCheckPort",
    "healthCheckProtocol",
    "portOverrides",
    "thresholdCount",
    "trafficDialPercentage",
)

TYPES = {
    "aws:globalaccelerator/accelerator:Accelerator": Entry(
        service="globalaccelerator",
        region=_REGION,
        create=Call("create_accelerator", auto=ALL),
        puts=(
            Call(
                "update_accelerator_attributes",
                {
                    "AcceleratorArn": "{id}",
                    "FlowLogsEnabled": "{in.attributes.flowLogsEnabled}",
                    "FlowLogsS3Bucket": "{in.attributes.flowLogsS3Bucket}",
                    "FlowLogsS3Prefix": "{in.attributes.flowLogsS3Prefix}",
                },
            ),
        ),
        update=(Call("update_accelerator", {"AcceleratorArn": "{id}"}, auto=("enabled", "name", "ipAddressType")),),
        id="{made.Accelerator.AcceleratorArn}",
        read=Call("describe_accelerator", {"AcceleratorArn": "{id}"}),
        ready="found.Accelerator.Status == 'DEPLOYED'",
        delete=(Do(_delete),),
        autoname=Name(limit=64),
        defaults={"enabled": True},
        tags=Tags(resource="{id}"),
        outputs={
            "arn": "{id}",
            "dnsName": "{found.Accelerator.DnsName}",
            "dualStackDnsName": lambda context: context.get("found.Accelerator.DualStackDnsName") or "",
            "hostedZoneId": _ZONE,
            "ipSets": _ip_sets,
        },
    ),
    "aws:globalaccelerator/listener:Listener": Entry(
        service="globalaccelerator",
        region=_REGION,
        create=Call("create_listener", auto=ALL),
        update=(Call("update_listener", {"ListenerArn": "{id}"}, auto=("clientAffinity", "portRanges", "protocol")),),
        id="{made.Listener.ListenerArn}",
        delete=(Call("delete_listener", {"ListenerArn": "{id}"}),),
        outputs={"arn": "{id}"},
    ),
    "aws:globalaccelerator/endpointGroup:EndpointGroup": Entry(
        service="globalaccelerator",
        region=_REGION,
        create=Call("create_endpoint_group", auto=ALL),
        update=(Call("update_endpoint_group", {"EndpointGroupArn": "{id}"}, auto=_GROUP),),
        id="{made.EndpointGroup.EndpointGroupArn}",
        delete=(Call("delete_endpoint_group", {"EndpointGroupArn": "{id}"}),),
        outputs={"arn": "{id}"},
    ),
}
