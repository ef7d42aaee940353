"""Route 53: zones, records, health checks, and what they refer to."""

import re
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from localaws.emulator.patches import patch


def hosted_zone_records() -> list[dict[str, Any]]:
    """Hosted zones of all accounts: `id`, `name` with its last dot, `private`."""
    from ministack.services import route53

    return list(route53._zones.to_dict().values())


def record_sets() -> dict[str, list[dict[str, Any]]]:
    """Record sets by hosted zone id, in the API's own field names."""
    from ministack.services import route53

    return {zone: list(records) for (_, zone), records in route53._records.to_dict().items()}


def health_check_records() -> list[tuple[str, dict[str, Any]]]:
    """(account, health check) of all accounts; a health check has `id` and `config`, in the API's own field names."""
    from ministack.services import route53

    return [(account, record) for (account, _), record in route53._health_checks.to_dict().items()]


def answer_health_checks(answer: Callable[[str, str, str], Element]) -> None:
    """Let `answer(health check id, its type, "status" or "lastfailurereason")` give the observations as XML.

    Also repairs what ministack keeps of a check: it reads every child health check and region as empty, and writes
    booleans as `True`, which is false to every SDK, so that Inverted and EnableSNI get lost.
    """
    from ministack.services import route53

    wanted = re.compile(rf"/{route53.API_VERSION}/healthcheck/([^/]+)/(status|lastfailurereason)")
    names = {"status": "GetHealthCheckStatusResponse", "lastfailurereason": "GetHealthCheckLastFailureReasonResponse"}

    async def handle_request(handle: Any, method: str, path: str, headers: Any, body: Any, query: Any) -> Any:
        asked = wanted.fullmatch(path)
        if method != "GET" or not asked:
            return await handle(method, path, headers, body, query)
        check, what = asked.groups()
        record = route53._health_checks.get(check)
        if record is None:
            return route53._error_response("NoSuchHealthCheck", f"No health check exists with the ID {check}.", 404)
        try:
            observations = answer(check, record["config"]["Type"], what)
        except ValueError as refusal:
            return route53._error_response("InvalidInput", str(refusal))
        return route53._xml_response(names[what], lambda root: root.append(observations))

    def build_health_check(build: Any, parent: Any, check: dict[str, Any]) -> None:
        spelled = {k: str(v).lower() if isinstance(v, bool) else v for k, v in check["config"].items()}
        build(parent, {**check, "config": spelled})

    def parse_health_check(parse: Any, element: Element) -> dict[str, Any]:
        lists = {name: route53._find(element, name) for name in ("ChildHealthChecks", "Regions")}
        given = {name: [entry.text for entry in found] for name, found in lists.items() if found is not None}
        return {**parse(element), **given}

    patch("services.route53:handle_request", handle_request)
    patch("services.route53:_parse_health_check_config", parse_health_check)
    patch("services.route53:_build_health_check_el", build_health_check)


def execute_api_of_domain(region: str, domain: str, path: str) -> tuple[str, str, str] | None:
    """(API id, stage, path) that a custom domain name of a REST API leads to in one region, in any account."""
    from ministack.services import apigateway_v1

    for (_, own_region, name), mappings in apigateway_v1._base_path_mappings.to_dict().items():
        if (own_region, name) != (region, domain):
            continue
        by_prefix = {"" if base in ("", "(none)") else f"/{base}": mapping for base, mapping in mappings.items()}
        for prefix in sorted(by_prefix, key=len, reverse=True):
            if path == prefix or path.startswith(f"{prefix}/"):
                return by_prefix[prefix]["restApiId"], by_prefix[prefix]["stage"], path[len(prefix) :]
    return None


def is_api_name(name: str, region: str) -> bool:
    """Whether a region has an API with this id, or a REST API's custom domain with this name, in any account."""
    from ministack.services import apigateway, apigateway_v1

    stores = (apigateway_v1._rest_apis, apigateway._apis, apigateway_v1._domain_names)
    return any((region, name) == (own_region, known) for store in stores for _, own_region, known in store.to_dict())


def alarm_state(account: str, region: str, name: str) -> str | None:
    """OK, ALARM or INSUFFICIENT_DATA; None for an unknown alarm."""
    from ministack.services import cloudwatch

    record = cloudwatch._alarms.get_scoped(account, region, name) or cloudwatch._composite_alarms.get_scoped(
        account, region, name
    )
    return str(record["StateValue"]) if record else None
