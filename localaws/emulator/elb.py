"""Elastic Load Balancing: what is deployed, what ministack gets wrong at its creation, and requests to targets."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

from localaws.emulator.patches import patch


def load_balancer_records() -> list[dict[str, Any]]:
    """Load balancers of all accounts and regions."""
    from ministack.services import alb

    return list(alb._lbs.all_values())


def listener_records() -> list[dict[str, Any]]:
    from ministack.services import alb

    return list(alb._listeners.all_values())


def listener_rule_records() -> list[dict[str, Any]]:
    from ministack.services import alb

    return list(alb._rules.all_values())


def target_group_records() -> list[dict[str, Any]]:
    from ministack.services import alb

    return list(alb._tgs.all_values())


def registered_targets() -> dict[str, list[dict[str, Any]]]:
    """Targets by target group ARN."""
    from ministack.services import alb

    return {arn: list(targets) for (_, arn), targets in alb._targets.to_dict().items()}


def load_balancer_attributes(arn: str) -> dict[str, str]:
    from ministack.services import alb

    _, _, _, region, account, _ = arn.split(":", 5)
    stored = alb._lb_attrs.get_scoped(account, region, arn, ())
    return {attribute["Key"]: attribute["Value"] for attribute in stored}


def fill_target_group_defaults(defaults: Callable[[Callable[[str], str]], dict[str, str]]) -> None:
    """Add `defaults(read a parameter)` to CreateTargetGroup: ministack's are an HTTP group's for every kind."""
    from ministack.services import alb

    def create_target_group(original: Any, params: dict[str, Any]) -> Any:
        return original({**defaults(lambda name: str(alb._p(params, name))), **params})

    patch("services.alb:_ACTION_MAP[CreateTargetGroup]", create_target_group)


def name_network_load_balancers() -> None:
    """Give network load balancers and their listeners AWS's ARN (`net/`) and DNS name; ministack calls all `app/`."""
    from ministack.services import alb

    def create_load_balancer(original: Any, params: dict[str, Any]) -> Any:
        known = set(alb._lbs)
        answer = original(params)
        for arn in set(alb._lbs) - known:
            if alb._lbs[arn]["Type"] != "network":
                continue
            record = alb._lbs.pop(arn)
            renamed = arn.replace(":loadbalancer/app/", ":loadbalancer/net/")
            name, number = renamed.split("/")[-2:]
            record |= {
                "LoadBalancerArn": renamed,
                "DNSName": f"{name}-{number}.elb.{alb.get_region()}.amazonaws.com",
            }
            alb._lbs[renamed] = record
            alb._tags[renamed] = alb._tags.pop(arn)
            alb._lb_attrs[renamed] = alb._lb_attrs.pop(arn)
            inner = f"<LoadBalancers>{alb._lb_xml(record)}</LoadBalancers>"
            answer = alb._xml(200, "CreateLoadBalancer", inner)
        return answer

    def create_listener(original: Any, params: dict[str, Any]) -> Any:
        known = set(alb._listeners)
        answer = original(params)
        for arn in set(alb._listeners) - known:
            if ":loadbalancer/net/" not in alb._listeners[arn]["LoadBalancerArn"]:
                continue
            renamed = arn.replace(":listener/app/", ":listener/net/")
            record = alb._listeners[renamed] = alb._listeners.pop(arn) | {"ListenerArn": renamed}
            alb._listener_attrs[renamed] = alb._listener_attrs.pop(arn)
            alb._tags[renamed] = alb._tags.pop(arn)
            for rule in alb._rules.values():
                if rule["ListenerArn"] == arn:
                    rule["ListenerArn"] = renamed
            answer = alb._xml(200, "CreateListener", f"<Listeners>{alb._listener_xml(record)}</Listeners>")
        return answer

    patch("services.alb:_ACTION_MAP[CreateLoadBalancer]", create_load_balancer)
    patch("services.alb:_ACTION_MAP[CreateListener]", create_listener)


def answer_canonical_zones(zones: dict[tuple[str, str], str]) -> None:
    """Answer the hosted zone of a load balancer's DNS name by (type, region); ministack has one for all."""

    def load_balancer_xml(original: Any, record: dict[str, Any]) -> str:
        xml = str(original(record))
        zone = zones.get((record["Type"], record["LoadBalancerArn"].split(":")[3]))
        tag = "CanonicalHostedZoneId"
        return re.sub(f"<{tag}>.*</{tag}>", f"<{tag}>{zone}</{tag}>", xml) if zone else xml

    patch("services.alb:_lb_xml", load_balancer_xml)


DispatchedAnswer = tuple[int, dict[str, str | list[str]], bytes | AsyncIterator[bytes]]


async def dispatch_to_application_load_balancer(
    record: dict[str, Any],
    *,
    method: str,
    path: str,
    raw_path: str,
    headers: dict[str, str],
    body: bytes,
    query: dict[str, list[str]],
    raw_query: str,
    port: int,
    client: str,
) -> DispatchedAnswer:
    """One request through the load balancer's rules to its target. Runs on the caller's event loop."""
    from ministack.core.responses import StreamingResponse, request_scope
    from ministack.services import alb

    _, _, _, region, account, _ = record["LoadBalancerArn"].split(":", 5)
    with request_scope(account, region):
        status, answered, content = await alb.dispatch_request(
            record, method, path, headers, body, query, port, client, raw_query_string=raw_query, raw_path=raw_path
        )
    if isinstance(content, StreamingResponse):
        return status, answered, _streamed(content)
    return status, answered, content if isinstance(content, bytes) else str(content).encode()


async def _streamed(response: Any) -> AsyncIterator[bytes]:
    """The chunks of a target's answer. Raises ConnectionError when the target broke it off."""
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=1)
    never = asyncio.get_running_loop().create_future()  # the client's disconnect, which the listening port sees itself
    runner = asyncio.create_task(response.runner(messages.put, lambda: never))
    try:
        while True:
            waiting = asyncio.create_task(messages.get())
            await asyncio.wait({waiting, runner}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                waiting.cancel()
                raise ConnectionError("the target broke off its answer")
            message = waiting.result()
            if message["body"]:
                yield message["body"]
            if not message.get("more_body"):
                return
    finally:
        runner.cancel()


async def invoke_lambda_target(function_arn: str, target_group_arn: str, path: str, user_agent: str) -> int:
    """A load balancer's health check of a Lambda target: the status it answers."""
    from ministack.core.responses import request_scope
    from ministack.services import alb

    _, _, _, region, account, _ = target_group_arn.split(":", 5)
    with request_scope(account, region):
        status, _, _ = await alb._invoke_lambda_target(
            function_arn, target_group_arn, "GET", path, {"user-agent": user_agent}, b"", {}, ""
        )
    return int(status)


def answer_target_health(answer: Callable[[str, list[dict[str, Any]]], str]) -> None:
    """Let `answer(target group ARN, targets asked for)` give the members of DescribeTargetHealth as XML."""
    from ministack.services import alb

    def describe_target_health(_original: Any, params: dict[str, Any]) -> Any:
        arn = alb._p(params, "TargetGroupArn")
        if arn not in alb._tgs:
            return alb._error("TargetGroupNotFound", f"Target group '{arn}' not found.")
        members = answer(arn, alb._parse_targets_param(params))
        inner = f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
        return alb._xml(200, "DescribeTargetHealth", inner)

    patch("services.alb:_ACTION_MAP[DescribeTargetHealth]", describe_target_health)


def choose_targets(choose: Callable[[str, str], str | None]) -> None:
    """Let `choose(target group ARN, "id:port" drawn by ministack)` name the target of a request to an IP address.

    ministack draws among all registered targets, healthy or not.
    """

    async def proxy_http_target(
        original: Any, target: dict[str, Any], group: dict[str, Any], *rest: Any, **named: Any
    ) -> Any:
        port = int(target.get("Port") or group["Port"])
        chosen = choose(group["TargetGroupArn"], f"{target['Id']}:{port}") or f"{target['Id']}:{port}"
        host, _, chosen_port = chosen.rpartition(":")
        return await original({**target, "Id": host, "Port": int(chosen_port)}, group, *rest, **named)

    patch("services.alb:_proxy_http_target", proxy_http_target)
