"""Calls of the observer to the embedded AWS, and the values that it reads from the responses."""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from drill.model.context import DrillContext
from drill.model.errors import ActionError, ProbeError
from drill.model.faults import Effect, LocalFaults, OutageMode
from drill.model.status import Status
from drill.observe.local import LocalObserver
from drill.scenarios.simulated import SCENARIOS
from tests.drill.systems import deployed

FAULTY = ("region-loss", "partition", "false-alarm", "writer-loss", "replication-cut-then-loss", "flapping")
Handler = Callable[[httpx.Request], httpx.Response]


def observer(handler: Handler, *, redeploy: Sequence[str] = ()) -> LocalObserver:
    client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return LocalObserver(client, deployed(), control="http://control", prefix="x-1-", redeploy=redeploy)


def call(**changes: Any) -> dict[str, Any]:
    made = {"caller": "function", "caller_region": "us-east-2", "region": "us-east-1", "service": "rds"}
    return made | {"operation": "DescribeDBClusters", "plane": "control", "count": 3} | changes


def test_only_control_plane_calls_of_our_own_are_counted() -> None:
    calls = [call(), call(plane="data"), call(caller="outside"), call(caller="workflow")]
    answer = httpx.Response(200, json={"since": 1.0, "calls": calls})

    found = asyncio.run(observer(lambda _: answer).calls())

    assert [(each.caller, each.count) for each in found] == [("function", 3), ("workflow", 3)]


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(200, json={}), httpx.Response(200, text="x")])
def test_calls_that_cannot_be_read_are_no_calls_that_were_not_made(answer: httpx.Response) -> None:
    with pytest.raises(ProbeError, match="counted calls cannot be read"):
        asyncio.run(observer(lambda _: answer).calls())


def test_a_ledger_without_a_writer_is_reported() -> None:
    status = Status.model_validate({"databases": [{"region": "us-east-1", "role": "writer", "running": False}]})

    with pytest.raises(ProbeError, match="there is no writer"):
        asyncio.run(observer(lambda _: httpx.Response(500)).posted(status))


def printing(content: Any) -> list[str]:
    return [sys.executable, "-c", f"print({json.dumps(json.dumps(content))})"]


def test_changes_of_a_second_run_are_listed_by_stack() -> None:
    stacks = {
        "primary": {"registered": 9, "created": [], "updated": [], "replaced": [], "deleted": []},
        "global": {"registered": 9, "created": ["a"], "updated": ["b", "c"], "replaced": [], "deleted": ["d"]},
    }

    found = asyncio.run(observer(lambda _: httpx.Response(500), redeploy=printing({"stacks": stacks})).second_run())

    assert found == {"primary": [], "global": ["created: a", "updated: b", "updated: c", "deleted: d"]}


def test_a_second_run_that_failed_has_its_reason() -> None:
    broken = printing({"error": "global: program: TypeError"})

    with pytest.raises(ProbeError, match=r"could not be run again: .*TypeError"):
        asyncio.run(observer(lambda _: httpx.Response(500), redeploy=broken).second_run())


def test_every_fault_of_a_scenario_and_its_end_are_asked_for_as_the_control_api_has_them() -> None:
    asked: dict[str, Any] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        asked.setdefault(request.url.path, json.loads(request.content))
        return httpx.Response(200, json={})

    async def make() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            ctx = DrillContext(
                faults=LocalFaults(client, "http://control"),
                deployment=deployed(speed=1e6),
                outage_mode=OutageMode.RESET,
            )
            for name in (
                "region-loss",
                "partition",
                "false-alarm",
                "writer-loss",
                "replication-cut-then-loss",
                "flapping",
            ):
                for step in SCENARIOS[name].steps:
                    if type(step).__module__ == "drill.actions.faults":
                        await step.do(ctx)  # type: ignore[union-attr]

    asyncio.run(make())

    both = {"between": ["us-east-1", "us-east-2"]}
    assert asked == {
        "/outage": {"region": "us-east-1", "kind": "reset"},
        "/recover": {"region": "us-east-1"},
        "/partition": both,
        "/heal-partition": both,
        "/isolate-functions": {"region": "us-east-2"},
        "/reconnect-functions": {"region": "us-east-2"},
        "/database": {"region": "us-east-1", "fault": "down"},
        "/lag": {"seconds": 30.0},
    }


def test_a_fault_that_is_refused_names_where_and_why() -> None:
    async def lose() -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(400, json={"error": "region 'x' is not here"}))
        async with httpx.AsyncClient(transport=transport) as client:
            await LocalFaults(client, "http://control").inject(
                Effect.PARTITION, ["x", "us-east-2"], mode=OutageMode.ERROR
            )

    with pytest.raises(ActionError, match=r"partition of x and us-east-2 was refused: .*is not here"):
        asyncio.run(lose())
