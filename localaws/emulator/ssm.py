"""Parameter Store: changes of parameters, and what ministack leaves out of one."""

import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from localaws.emulator.patches import patch
from localaws.emulator.services import AwsRefusal, JsonCall, answer_json_actions

# account, region, operation, parameter (its Name, Type and Description)
Changed = Callable[[str, str, str, dict[str, Any]], None]


def on_parameter_changes(listener: Changed) -> None:
    """Call `listener` after each change that succeeded, with the operation as AWS's events name it."""
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import ssm

    def known(name: Any) -> dict[str, Any] | None:
        _, parameter = ssm._lookup_parameter(name)
        return dict(parameter) if parameter else None

    def notify(operation: str, parameter: dict[str, Any] | None) -> None:
        if parameter:
            listener(get_account_id(), get_region(), operation, parameter)

    def put_parameter(put: Any, data: dict[str, Any]) -> Any:
        before = known(data.get("Name"))
        answer = put(data)
        if answer[0] == 200:
            notify("Update" if before else "Create", known(data.get("Name")))
        return answer

    def label_parameter_version(label: Any, data: dict[str, Any]) -> Any:
        answer = label(data)
        if answer[0] == 200:
            notify("LabelParameterVersion", known(data.get("Name")))
        return answer

    def delete(handle: Any, data: dict[str, Any]) -> Any:
        names = data["Names"] if "Names" in data else [data.get("Name")]
        before = [known(name) for name in names]
        answer = handle(data)
        for name, parameter in zip(names, before, strict=True):
            if parameter and known(name) is None:
                notify("Delete", parameter)
        return answer

    patch("services.ssm:_put_parameter", put_parameter)
    patch("services.ssm:_label_parameter_version", label_parameter_version)
    patch("services.ssm:_delete_parameter", delete)
    patch("services.ssm:_delete_parameters", delete)


def publish_from_aws(account: str, region: str, entry: dict[str, Any]) -> None:
    """Publish one event of an AWS service on the region's default bus."""
    from ministack.core.responses import request_scope
    from ministack.services import eventbridge

    with request_scope(account, region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


# A function's calls carry its role and name where AWS has a session token in their place.
_TOKEN = "localaws-role/"
_writer: ContextVar[str | None] = ContextVar("writer", default=None)

TagsChanged = Callable[[str, str, str, list[str], dict[str, str]], None]  # account, region, ARN, changed keys, tags


def name_functions_to_parameter_store() -> None:
    """Let LastModifiedUser of a version that a Lambda function wrote be the session of its role."""
    from ministack.core.responses import get_account_id
    from ministack.services import ssm

    def with_role(credentials: Any, config: dict[str, Any]) -> dict[str, str]:
        role = str(config.get("Role", "")).rpartition("/")[2]
        return {**credentials(config), "AWS_SESSION_TOKEN": f"{_TOKEN}{role}/{config.get('FunctionName', '')}"}

    async def handle_request(
        handle: Any, method: str, path: str, headers: dict[str, str], body: bytes, query: Any
    ) -> Any:
        token = headers.get("x-amz-security-token", "")
        _writer.set(token.removeprefix(_TOKEN) if token.startswith(_TOKEN) else None)
        return await handle(method, path, headers, body, query)

    def put_and_sign(put: Any, data: dict[str, Any]) -> Any:
        answer = put(data)
        if answer[0] == 200 and (session := _writer.get()):
            arn = f"arn:aws:sts::{get_account_id()}:assumed-role/{session}"
            ssm._parameter_history[data["Name"]][-1]["LastModifiedUser"] = arn
        return answer

    patch("core.lambda_runtime:execution_credentials", with_role)
    patch("services.ssm:handle_request", handle_request)
    patch("services.ssm:_put_parameter", put_and_sign)


def complete_parameters() -> None:
    """Policies as a list, allowed patterns in the history, no change of a type, and labels that can be taken off."""
    from ministack.core.responses import error_response_json
    from ministack.services import ssm

    def put_parameter(put: Any, data: dict[str, Any]) -> Any:
        existing = ssm._parameters.get(data.get("Name"))
        if existing and data.get("Overwrite") and data.get("Type", existing["Type"]) != existing["Type"]:
            message = "a parameter's type cannot be changed; make a new parameter"
            return error_response_json("HierarchyTypeMismatchException", message, 400)
        kept = existing.get("Policies", []) if existing else []
        return put({**data, "Policies": _inline(data["Policies"]) if "Policies" in data else kept})

    def get_parameter_history(history: Any, data: dict[str, Any]) -> Any:
        status, headers, body = history(data)
        answer = json.loads(body)
        patterns = {each["Version"]: each["AllowedPattern"] for each in ssm._parameter_history.get(data["Name"], ())}
        for each in answer.get("Parameters", ()):
            each["AllowedPattern"] = patterns[each["Version"]]
        return status, headers, json.dumps(answer).encode()

    def unlabel(call: JsonCall) -> dict[str, Any]:
        asked = call.parameters
        found = [
            each
            for each in ssm._parameter_history.get(asked["Name"], ())
            if each["Version"] == asked["ParameterVersion"]
        ]
        if not found:
            raise AwsRefusal("ParameterVersionNotFound", "the parameter has no such version")
        removed = [label for label in asked["Labels"] if label in found[0]["Labels"]]
        found[0]["Labels"][:] = [label for label in found[0]["Labels"] if label not in removed]
        return {"RemovedLabels": removed, "InvalidLabels": [each for each in asked["Labels"] if each not in removed]}

    patch("services.ssm:_put_parameter", put_parameter)
    patch("services.ssm:_get_parameter_history", get_parameter_history)
    answer_json_actions("ssm", {"UnlabelParameterVersion": unlabel}, lambda: None)


def on_parameter_tag_changes(listener: TagsChanged) -> None:
    """Call `listener` after each change of an existing parameter's tags that changed any."""
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import ssm

    def change_tags(act: Any, data: dict[str, Any]) -> Any:
        arn = ssm._parameter_tag_arn(data.get("ResourceType", "Parameter"), data.get("ResourceId", ""))
        before = dict(ssm._tags.get(arn, {}))
        answer = act(data)
        after = dict(ssm._tags.get(arn, {}))
        changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        if answer[0] == 200 and changed:
            listener(get_account_id(), get_region(), arn, changed, after)
        return answer

    patch("services.ssm:_add_tags_to_resource", change_tags)
    patch("services.ssm:_remove_tags_from_resource", change_tags)


def _inline(policies: Any) -> list[dict[str, str]]:
    """A JSON array of policies is answered as one entry each; an empty policy means none."""
    return [
        {"PolicyText": json.dumps(each), "PolicyType": each["Type"], "PolicyStatus": "Pending"}
        for each in json.loads(policies or "[]")
        if each
    ]
