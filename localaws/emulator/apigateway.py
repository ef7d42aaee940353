"""API Gateway: keys, usage plans and domains by region."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from localaws.emulator.patches import patch
from localaws.emulator.services import AwsRefusal


def resolve_api_keys_by_region() -> None:
    """Look an API key's value up in the region of the call; ministack takes the first of any region with that value."""
    from ministack.services import apigateway_v1

    def resolve_api_key(_original: Any, value: str) -> dict[str, Any] | None:
        keys = apigateway_v1._api_keys.values() if value else ()
        return next((key for key in keys if key["value"] == value and key.get("enabled", True)), None)

    patch("services.apigateway_v1:_resolve_api_key", resolve_api_key)


def patch_usage_plans(patched: Callable[[dict[str, Any], list[dict[str, Any]]], None]) -> None:
    """Let `patched(plan, patches)` carry out UpdateUsagePlan: ministack keeps stages and limits as texts."""
    from ministack.services import apigateway_v1

    def update_usage_plan(_original: Any, plan_id: str, data: dict[str, Any]) -> Any:
        plan = apigateway_v1._usage_plans.get(plan_id)
        if plan is None:
            return apigateway_v1._v1_error("NotFoundException", "Invalid Usage Plan identifier specified", 404)
        try:
            patched(plan, data.get("patchOperations", []))
        except AwsRefusal as refusal:
            return apigateway_v1._v1_error(refusal.code, str(refusal), refusal.status)
        return apigateway_v1._v1_response(plan)

    patch("services.apigateway_v1:_update_usage_plan", update_usage_plan)


def answer_throttled_integrations() -> None:
    """Answer 500 where Lambda throttles a proxy integration [APIGW-10]; ministack passes Lambda's 429 on."""

    def proxy_response(original: Any, result: dict[str, Any]) -> Any:
        if result.get("throttle"):
            body = json.dumps({"message": "Internal server error"})
            return {
                "statusCode": 500,
                "headers": {"x-amzn-ErrorType": "InternalServerErrorException"},
                "body": body,
            }, None
        return original(result)

    patch("services.apigateway_v1:_lambda_proxy_response", proxy_response)


def answer_regional_zones(zones: Mapping[str, str]) -> None:
    """Give custom domains of APIs the hosted zone of their region; ministack has one for all."""
    from ministack.services import apigateway_v1

    def create_domain_name(original: Any, data: dict[str, Any]) -> Any:
        answer = original(data)
        record = apigateway_v1._domain_names.get(data.get("domainName", ""))
        zone = zones.get(apigateway_v1.get_region())
        if record is None or zone is None:
            return answer
        record["regionalHostedZoneId"] = zone
        return apigateway_v1._v1_response(record, 201)

    patch("services.apigateway_v1:_create_domain_name", create_domain_name)
