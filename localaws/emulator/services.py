"""Services and JSON actions that ministack lacks, and web ACLs."""

import json
import types
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.emulator.patches import Undo, patch_each

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Answer]]


class AwsRefusal(Exception):
    """An AWS error answer: its code, its message, and the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def request_account() -> str:
    """The account of the request being handled."""
    from ministack.core.responses import get_account_id

    return str(get_account_id())


def register_service(name: str, target_prefix: str, handler: Handler, reset: Callable[[], None]) -> None:
    """Answer a JSON service ministack lacks. `name` is the signing name, `reset` forgets everything."""
    from ministack import app
    from ministack.core import iam_actions, router

    module = types.SimpleNamespace(handle_request=handler, reset=reset, get_state=lambda: None)
    app.SERVICE_HANDLERS[name] = handler
    app.SERVICE_REGISTRY[name] = {"module": name}
    app._loaded_modules[name] = module
    router.SERVICE_PATTERNS[name] = {"target_prefixes": [target_prefix], "credential_scope": name}
    iam_actions.SERVICE_TO_IAM_NAMESPACE[name] = name


@dataclass(frozen=True)
class JsonCall:
    """One request of a service that speaks JSON."""

    account: str
    region: str
    parameters: dict[str, Any]


JsonAction = Callable[[JsonCall], dict[str, Any] | None]


def answer_json_actions(service: str, actions: Mapping[str, JsonAction], reset: Callable[[], None]) -> Undo:
    """Answer some actions of ministack's module `service`; None leaves it to ministack. `reset` forgets everything.

    An action may raise AwsRefusal.
    """
    from ministack.core.responses import error_response_json, get_account_id, get_region, json_response

    async def handle_request(
        handle: Any, method: str, path: str, headers: dict[str, str], body: bytes, query: Any
    ) -> Any:
        act = actions.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if act:
            try:
                answer = act(JsonCall(get_account_id(), get_region(), json.loads(body or b"{}")))
            except AwsRefusal as refusal:
                return error_response_json(refusal.code, str(refusal), refusal.status)
            if answer is not None:
                return json_response(answer)
        return await handle(method, path, headers, body, query)

    def reset_both(forget: Any) -> None:
        forget()
        reset()

    names = (f"services.{service}:handle_request", f"services.{service}:reset")
    return patch_each(dict(zip(names, (handle_request, reset_both), strict=True)))


def web_acl_of(account: str, region: str, arn: str) -> dict[str, Any] | None:
    """A regional web ACL; None if there is none."""
    from ministack.services import waf

    record: dict[str, Any] | None = waf._web_acls.get_scoped(account, region, arn.rpartition("/")[2])
    return record


def web_acl_resources(account: str, region: str, arn: str) -> list[str]:
    """The resources that a web ACL is associated with."""
    from ministack.services import waf

    return [resource for resource, acl in waf._associations.items_scoped(account, region) if acl == arn]
