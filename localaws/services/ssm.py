"""Parameter Store's change events, and parameter metadata that ministack lacks.

An event has the parameter's name and the operation, and no value; it goes to the default bus of its own region
[EVENTS-13]. A change of tags is no change of the parameter, and has an event of its own for all services [EVENTS-14].
"""

import json
from collections.abc import Callable
from typing import Any

from localaws import emulator

Send = Callable[[str, str, str, Callable[[], None]], None]  # kind, from region, to region, delivery

KIND = "events"


class ParameterEvents:
    """`send` is `Replication.send`: delivery is asynchronous, and waits while the region is lost."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def install(self) -> None:
        emulator.ssm.on_parameter_changes(self._publish)
        emulator.ssm.on_parameter_tag_changes(self._publish_tags)

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
        self._later(account, region, entry)

    def _publish_tags(self, account: str, region: str, arn: str, changed: list[str], tags: dict[str, str]) -> None:
        detail = {"service": "ssm", "resource-type": "parameter", "changed-tag-keys": changed, "tags": tags}
        entry = {
            "Source": "aws.tag",
            "DetailType": "Tag Change on Resource",
            "Resources": [arn],
            "Detail": json.dumps(detail),
        }
        self._later(account, region, entry)

    def _later(self, account: str, region: str, entry: dict[str, Any]) -> None:
        self._send(KIND, region, region, lambda: emulator.ssm.publish_from_aws(account, region, entry))


def install() -> None:
    """Add a version's author, policies, patterns, fixed types and the removal of labels."""
    emulator.ssm.complete_parameters()
    emulator.ssm.name_functions_to_parameter_store()
