"""Parameter Store: what changed (`parameter_events`)."""

from collections.abc import Callable
from typing import Any

from localaws.hooks.services import original_of

# account, region, operation, parameter (its Name, Type and Description)
Changed = Callable[[str, str, str, dict[str, Any]], None]


def tell_of_parameter_changes(listener: Changed) -> None:
    """Call `listener` after each change that succeeded, with the operation as AWS's events name it."""
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import ssm

    put, label = original_of(ssm, "_put_parameter"), original_of(ssm, "_label_parameter_version")
    delete, delete_several = original_of(ssm, "_delete_parameter"), original_of(ssm, "_delete_parameters")

    def known(name: Any) -> dict[str, Any] | None:
        _, parameter = ssm._lookup_parameter(name)
        return dict(parameter) if parameter else None

    def tell(operation: str, parameter: dict[str, Any] | None) -> None:
        if parameter:
            listener(get_account_id(), get_region(), operation, parameter)

    def put_and_tell(data: dict[str, Any]) -> Any:
        before = known(data.get("Name"))
        answer = put(data)
        if answer[0] == 200:
            tell("Update" if before else "Create", known(data.get("Name")))
        return answer

    def label_and_tell(data: dict[str, Any]) -> Any:
        answer = label(data)
        if answer[0] == 200:
            tell("LabelParameterVersion", known(data.get("Name")))
        return answer

    def delete_and_tell(data: dict[str, Any], handle: Callable[[dict[str, Any]], Any], names: list[Any]) -> Any:
        before = [known(name) for name in names]
        answer = handle(data)
        for name, parameter in zip(names, before, strict=True):
            if parameter and known(name) is None:
                tell("Delete", parameter)
        return answer

    ssm._put_parameter = put_and_tell
    ssm._label_parameter_version = label_and_tell
    ssm._delete_parameter = lambda data: delete_and_tell(data, delete, [data.get("Name")])
    ssm._delete_parameters = lambda data: delete_and_tell(data, delete_several, list(data.get("Names", [])))


def publish_from_aws(account: str, region: str, entry: dict[str, Any]) -> None:
    """Publish one event of an AWS service on the region's default bus."""
    from ministack.core.responses import request_scope
    from ministack.services import eventbridge

    with request_scope(account, region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
