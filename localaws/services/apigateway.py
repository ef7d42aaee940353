"""API Gateway's keys, usage plans and custom domains by region; ministack has them for one region only."""

from typing import Any

from localaws import emulator
from localaws.emulator.services import AwsRefusal

# https://docs.aws.amazon.com/general/latest/gr/apigateway.html, hosted zones for regional endpoints
REGIONAL_ZONES = {"us-east-1": "Z1UJRXOUMOOFQ8", "us-east-2": "ZOJJZC49E0EPZ", "us-west-2": "Z2OJLYMUO9EFXC"}
_NUMBERS: dict[str, type[int] | type[float]] = {
    "throttle/rateLimit": float,
    "throttle/burstLimit": int,
    "quota/limit": int,
    "quota/offset": int,
}
_TEXTS = ("name", "description", "productCode", "quota/period")


def install() -> None:
    emulator.apigateway.resolve_api_keys_by_region()
    emulator.apigateway.patch_usage_plans(patch_usage_plan)
    emulator.apigateway.answer_regional_zones(REGIONAL_ZONES)


def patch_usage_plan(plan: dict[str, Any], patches: list[dict[str, str]]) -> None:
    """Apply UpdateUsagePlan's patches. Raises AwsRefusal for an unknown path."""
    for change in patches:
        operation, path, value = change["op"], change["path"].lstrip("/"), change.get("value", "")
        if path == "apiStages":
            _change_stages(plan, operation, value)
        elif path in ("throttle", "quota") and operation == "remove":
            plan[path] = {}
        elif path in _NUMBERS or path in _TEXTS:
            group, _, name = path.rpartition("/")
            target = plan.setdefault(group, {}) if group else plan
            target[name] = _NUMBERS[path](float(value)) if path in _NUMBERS else value
        else:
            raise AwsRefusal("BadRequestException", f"Invalid patch path /{path}")


def _change_stages(plan: dict[str, Any], operation: str, value: str) -> None:
    """`value` is `<api id>:<stage>`."""
    api, _, stage = value.partition(":")
    others = [entry for entry in plan["apiStages"] if (entry["apiId"], entry["stage"]) != (api, stage)]
    plan["apiStages"] = others if operation == "remove" else [*others, {"apiId": api, "stage": stage}]
