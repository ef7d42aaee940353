"""Flow logs with all they were made with; ministack keeps neither role, interval, format nor tags.

No record of traffic is written: what flows between processes on this machine passes no network interface of a VPC.
"""

import re
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from localaws import emulator
from localaws.emulator.ec2 import Ec2Call
from localaws.emulator.services import Answer, AwsRefusal

_KEPT = {
    "DeliverLogsPermissionArn": "deliverLogsPermissionArn",
    "DeliverCrossAccountRole": "deliverCrossAccountRole",
    "LogFormat": "logFormat",
    "MaxAggregationInterval": "maxAggregationInterval",
}
# API EC2.CreateFlowLogs: the default format, and 600 s when nothing is asked for.
_DEFAULTS = {
    "LogFormat": "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} "
    "${packets} ${bytes} ${start} ${end} ${action} ${log-status}",
    "MaxAggregationInterval": "600",
}
_SHOWN = re.compile(r"<flowLogId>(fl-\w+)</flowLogId>")


def install() -> None:
    emulator.ec2.extend_ec2_action("CreateFlowLogs", _create)
    emulator.ec2.extend_ec2_action("DescribeFlowLogs", _describe)


def _create(call: Ec2Call, original: Callable[[], Answer]) -> Answer:
    interval = call.text("MaxAggregationInterval") or _DEFAULTS["MaxAggregationInterval"]
    if interval not in ("60", "600"):
        raise AwsRefusal("InvalidParameter", f"MaxAggregationInterval {interval} is neither 60 nor 600")
    to_logs = (call.text("LogDestinationType") or "cloud-watch-logs") == "cloud-watch-logs"
    if to_logs and not call.text("DeliverLogsPermissionArn"):
        raise AwsRefusal(
            "InvalidParameter", "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs."
        )
    known = set(emulator.ec2.ec2_records("flow log", call.account, call.region))
    answer = _with_ministacks_word(call, original)
    for identity, record in emulator.ec2.ec2_records("flow log", call.account, call.region).items():
        if identity not in known:
            record.update({name: call.text(name) or _DEFAULTS.get(name, "") for name in _KEPT})
    return answer


def _with_ministacks_word(call: Ec2Call, original: Callable[[], Answer]) -> Answer:
    """ministack looks for tags of a `flow-log`, which AWS calls `vpc-flow-log`."""
    for name, value in list(call.parameters.items()):
        if re.fullmatch(r"TagSpecification\.\d+\.ResourceType", name) and value == ["vpc-flow-log"]:
            call.parameters[name] = ["flow-log"]
    return original()


def _describe(call: Ec2Call, original: Callable[[], Answer]) -> Answer:
    records = emulator.ec2.ec2_records("flow log", call.account, call.region)
    status, headers, body = original()
    completed = _SHOWN.sub(lambda shown: f"{shown[0]}{_extra(records[shown[1]])}", body.decode())
    return status, headers, completed.encode()


def _extra(record: dict[str, Any]) -> str:
    shown = "".join(f"<{word}>{escape(record[name])}</{word}>" for name, word in _KEPT.items() if record.get(name))
    group = record["LogDestination"].partition(":log-group:")[2].removesuffix(":*")
    return f"{shown}<deliverLogsStatus>SUCCESS</deliverLogsStatus>" + (
        f"<logGroupName>{escape(group)}</logGroupName>" if group else ""
    )
