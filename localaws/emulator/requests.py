"""Requests: the region and the handler of a call, and the emulator as a whole."""

import asyncio
from contextvars import ContextVar
from typing import Any

from localaws.emulator.patches import patch

region_of_unsigned_call: ContextVar[str | None] = ContextVar("region_of_unsigned_call", default=None)
_emulated: set[str] = set()


def emulator() -> Any:
    """ministack's ASGI application. GATEWAY_PORT must be set before the first call: ministack reads it once."""
    from ministack.app import app

    return app


def serve_unsigned_calls_by_region() -> None:
    """Serve a call in `region_of_unsigned_call` where that is set; ministack alone takes one default region for all."""
    from ministack.services import apigateway_v1

    def extract_region(signed_region: Any, headers: dict[str, str], query_params: Any = None) -> str:
        return region_of_unsigned_call.get() or str(signed_region(headers, query_params))

    def find_domain_scope(any_domain: Any, domain_name: str) -> tuple[str, str, str] | None:
        region = region_of_unsigned_call.get()
        for account, own_region, name in apigateway_v1._domain_names.to_dict():
            if own_region == region and name.lower() == domain_name.lower():
                return account, own_region, name
        found: tuple[str, str, str] | None = any_domain(domain_name)
        return found

    patch("app:extract_region", extract_region)
    patch("services.apigateway_v1:find_domain_scope", find_domain_scope)


def route_unknown_services_quickly() -> None:
    """Keep the router from loading every botocore model (3 s, event loop blocked) over a name it does not know."""
    patch("core.router:_is_aws_service_name", lambda _original, _name: True)


def is_emulated(service: str) -> bool:
    """Whether a call signed for `service` (its SigV4 name) has a handler."""
    if service in _emulated:
        return True
    from ministack import app
    from ministack.core import router

    scope = f"AWS4-HMAC-SHA256 Credential=0/20250101/us-east-1/{service}/aws4_request"
    if router.detect_service("POST", "/", {"authorization": scope}, {}) not in app.SERVICE_HANDLERS:
        return False
    _emulated.add(service)
    return True


def bucket_region(name: str) -> str | None:
    """Home region of a bucket of any account."""
    from ministack.services import s3

    for (_, bucket), record in list(s3._buckets._data.items()):
        if bucket == name:
            return str(record.get("region") or s3.bucket_region(name))
    return None


def api_region(api_id: str) -> str | None:
    """Home region of a REST or HTTP API of any account."""
    from ministack.services import apigateway, apigateway_v1

    for apis in (apigateway_v1._rest_apis, apigateway._apis):
        for _, region, known in apis.to_dict():
            if known == api_id:
                return str(region)
    return None


def custom_domain_region(host: str) -> str | None:
    """Home region of a custom domain of an API; of several with one name, the first made."""
    from ministack.services import apigateway_v1

    for _, region, domain in apigateway_v1._domain_names.to_dict():
        if domain.lower() == host:
            return str(region)
    return None


def load_balancer_region(name: str) -> str | None:
    """Home region of a load balancer, by its name or DNS name; of several with one name, the first made."""
    from ministack.services import alb

    for (_, region, _), balancer in alb._lbs.all_items():
        if name.lower() in (balancer["LoadBalancerName"].lower(), balancer["DNSName"].lower()):
            return str(region)
    return None


def function_url_region(url_id: str) -> str | None:
    """Home region of a function URL."""
    from ministack.services import lambda_svc

    found = lambda_svc.resolve_function_url(url_id)
    return str(found[1]) if found else None


# Forgetting everything, for tests.


def reset_emulator() -> None:
    """Forget all state of all accounts and regions, Lambda workers included."""
    from ministack import app

    app._reset_all_state()


def main_loop() -> asyncio.AbstractEventLoop:
    """The event loop that serves the emulator's calls."""
    from ministack import app

    loop: asyncio.AbstractEventLoop = app._MAIN_LOOP
    return loop
