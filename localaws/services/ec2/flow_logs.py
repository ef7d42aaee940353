"""Flow logs with all their settings; ministack keeps neither role, interval, format nor tags.

No record of traffic is written: traffic between processes on this machine passes no network interface of a VPC.
"""

import re
from collections.abc import Callable

from localaws import emulator
from localaws.emulator.ec2 import Ec2Call
from localaws.emulator.services import Answer, AwsRefusal
from localaws.services.api_model import Document, complete

_KEPT = ("DeliverLogsPermissionArn", "DeliverCrossAccountRole", "LogFormat", "MaxAggregationInterval")
# API EC2.CreateFlowLogs: the default format, and 600 s when no interval is given.
_DEFAULTS = {
    "LogFormat": "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
    "${packets} ${bytes} ${start} ${end} ${action} ${log-status}",
    "MaxAggregationInterval": "600",
}


def install() -> None:
    emulator.ec2.extend_ec2_action("CreateFlowLogs", _create)
    emulator.ec2.extend_ec2_action("DescribeFlowLogs", _describe)


def _create(call: Ec2Call, original: Callable[[], Answer]) -> Answer:
    settings = {name: call.text(name) or _DEFAULTS.get(name, "") for name in _KEPT}
    if settings["MaxAggregationInterval"] not in ("60", "600"):
        reason = f"MaxAggregationInterval {settings['MaxAggregationInterval']} is neither 60 nor 600"
        raise AwsRefusal("InvalidParameter", reason)
    to_logs = (call.text("LogDestinationType") or "cloud-watch-logs") == "cloud-watch-logs"
    if to_logs and not settings["DeliverLogsPermissionArn"]:
        reason = "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs."
        raise AwsRefusal("InvalidParameter", reason)
    # ministack reads the tags of a `flow-log`, which AWS calls `vpc-flow-log`.
    for name, value in list(call.parameters.items()):
        if re.fullmatch(r"TagSpecification\.\d+\.ResourceType", name) and value == ["vpc-flow-log"]:
            call.parameters[name] = ["flow-log"]
    known = set(emulator.ec2.ec2_records("flow log", call.account, call.region))
    answer = original()
    for identity, record in emulator.ec2.ec2_records("flow log", call.account, call.region).items():
        if identity not in known:
            record.update(settings)
    return answer


def _describe(call: Ec2Call, original: Callable[[], Answer]) -> Answer:
    records = emulator.ec2.ec2_records("flow log", call.account, call.region)

    def add_settings(response: Document) -> None:
        for flow_log in response["FlowLogs"]:
            record = records[flow_log["FlowLogId"]]
            flow_log.update({name: record[name] for name in _KEPT if record.get(name)}, DeliverLogsStatus="SUCCESS")
            if group := record["LogDestination"].partition(":log-group:")[2].removesuffix(":*"):
                flow_log["LogGroupName"] = group

    return complete("DescribeFlowLogs", original(), add_settings)
