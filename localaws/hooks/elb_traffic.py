"""Elastic Load Balancing: the data plane (`fronts.application`, `targethealth`)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from localaws.hooks.services import original_of

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
    never = asyncio.get_running_loop().create_future()  # the client's disconnect, which the front sees itself
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

    def describe_target_health(params: dict[str, Any]) -> Any:
        arn = alb._p(params, "TargetGroupArn")
        if arn not in alb._tgs:
            return alb._error("TargetGroupNotFound", f"Target group '{arn}' not found.")
        members = answer(arn, alb._parse_targets_param(params))
        inner = f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
        return alb._xml(200, "DescribeTargetHealth", inner)

    alb._ACTION_MAP["DescribeTargetHealth"] = describe_target_health


def choose_targets(choose: Callable[[str, str], str | None]) -> None:
    """Let `choose(target group ARN, "id:port" drawn by ministack)` name the target of a request to an IP address.

    ministack draws among all registered targets, healthy or not.
    """
    from ministack.services import alb

    original = original_of(alb, "_proxy_http_target")

    async def proxy_http_target(target: dict[str, Any], group: dict[str, Any], *rest: Any, **named: Any) -> Any:
        port = int(target.get("Port") or group["Port"])
        chosen = choose(group["TargetGroupArn"], f"{target['Id']}:{port}") or f"{target['Id']}:{port}"
        host, _, chosen_port = chosen.rpartition(":")
        return await original({**target, "Id": host, "Port": int(chosen_port)}, group, *rest, **named)

    alb._proxy_http_target = proxy_http_target
