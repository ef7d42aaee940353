"""Parameter Store's change events, which ministack does not send.

An event names the parameter and the operation and carries no value (EventBridge reference, "Parameter Store events":
https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ssm.html). It goes to the default bus of its own region.
"""

import json
from collections.abc import Callable
from typing import Any

from localaws import hooks

Send = Callable[[str, str, str, Callable[[], None]], None]  # kind, from region, to region, what does it

KIND = "events"


class ParameterEvents:
    """`send` is `Replication.send`: delivery is beside the call, and waits while the region is lost."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def install(self) -> None:
        hooks.tell_of_parameter_changes(self._publish)

    def _publish(self, account: str, region: str, operation: str, parameter: dict[str, Any]) -> None:
        detail = {"operation": operation, "name": parameter["Name"], "type": parameter["Type"]}
        if parameter.get("Description"):
            detail["description"] = parameter["Description"]
        entry = {
            "Source": "aws.ssm",
            "DetailType": "Parameter Store Change",
            "Resources": [parameter["ARN"]],
            "Detail": json.dumps(detail),
        }
        self._send(KIND, region, region, lambda: hooks.publish_from_aws(account, region, entry))
