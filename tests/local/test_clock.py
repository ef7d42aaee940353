"""AWS time, and what follows a change of its speed."""

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from localaws import launch
from localaws.core import endpoints_file
from localaws.core.clock import Clock
from localaws.core.environment import ACCOUNT
from localaws.core.outages import Outages
from localaws.server import function_environment
from localaws.services.rds.group import Group
from localaws.services.replication import Replication
from tests.local.embedded import LocalAws, deploy_function, eventually
from tests.tiers import starts

REPORT = """
    import os, pathlib, time

    def handler(event, context):
        print("called")
        if event["at_work"]:
            pathlib.Path(event["at_work"]).touch()
        time.sleep(event["seconds"])
        return [os.getpid(), os.environ.get("CLOCK_SPEED"), os.environ.get("CONTROL_GRACE_SECONDS")]
"""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The machine's monotonic and Unix time, in tests that set it."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "time", lambda: 1e9 + now[0])
    return now


def test_time_goes_on_from_where_it_is_when_the_speed_changes(machine: list[float]) -> None:
    clock = Clock(10)
    machine[0] += 3
    clock.set_speed(2)
    assert clock.now() == pytest.approx(30)
    machine[0] += 5

    assert clock.now() == pytest.approx(40)
    assert (clock.real(10), clock.speed) == (5, 2)


def test_the_past_keeps_the_speed_it_had(machine: list[float]) -> None:
    clock = Clock(10)
    machine[0] += 3
    clock.set_speed(2)
    machine[0] += 5

    assert clock.elapsed(6) == pytest.approx(2 * 5 + 10 * 1)
    assert clock.unix(20) == pytest.approx(1e9 + 1002)
    assert clock.unix(36) == pytest.approx(1e9 + 1006)
    assert clock.unix(-10) == pytest.approx(1e9 + 999), "also before there was a clock"


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
def test_a_speed_that_is_no_positive_number_is_refused_and_changes_nothing(speed: float) -> None:
    clock = Clock(4)

    with pytest.raises(ValueError, match="a positive factor is needed"):
        clock.set_speed(speed)

    assert clock.speed == 4


def test_time_never_runs_back_while_others_change_the_speed() -> None:
    clock, ended = Clock(), threading.Event()

    def change() -> None:
        for speed in itertools.cycle((0.5, 100, 3)):
            if ended.is_set():
                return
            clock.set_speed(speed)
            time.sleep(0.0005)

    seen: list[list[float]] = [[], []]
    changers = [threading.Thread(target=change) for _ in range(2)]
    readers = [threading.Thread(target=lambda row=row: row.extend(clock.now() for _ in range(20_000))) for row in seen]
    for thread in (*changers, *readers):
        thread.start()
    for reader in readers:
        reader.join()
    ended.set()
    for changer in changers:
        changer.join()

    assert all(earlier <= later for row in seen for earlier, later in itertools.pairwise(row))


def test_a_sleeper_wakes_when_its_seconds_have_passed_at_the_new_speed() -> None:
    """A health check's interval of 30 s is a sleep of the clock."""

    async def slept() -> float:
        clock = Clock(1)
        asyncio.get_running_loop().call_later(0.05, clock.set_speed, 100)
        started = time.monotonic()
        await clock.sleep(30)
        return time.monotonic() - started

    assert asyncio.run(asyncio.wait_for(slept(), 20)) > 0.3


def test_a_sleep_lasts_its_least_at_any_speed() -> None:
    started = time.monotonic()

    asyncio.run(Clock(100).sleep(1, least=0.1))

    assert time.monotonic() - started >= 0.1


def test_a_listener_is_called_with_the_new_speed_there() -> None:
    clock, seen = Clock(), list[float]()
    clock.on_change(lambda: seen.append(clock.speed))

    clock.set_speed(7)

    assert seen == [7]


def test_the_times_of_functions_are_those_of_the_moment_they_are_asked_for() -> None:
    clock = Clock(1)
    before = function_environment.times(clock)
    clock.set_speed(3)

    reported = ("CLOCK_SPEED", "CONTROL_GRACE_SECONDS")
    assert [before[name] for name in reported] == ["1", "30.000"]
    assert [function_environment.times(clock)[name] for name in reported] == ["3", "10.000"]


def test_what_replicates_arrives_after_its_lag_at_the_new_speed() -> None:
    async def delivered() -> None:
        clock, arrived = Clock(1), asyncio.Event()
        replication = Replication(clock, Outages(("us-east-1", "us-east-2")), {"s3": 30})
        await replication.start()
        replication.send("s3", "us-east-1", "us-east-2", arrived.set)
        await asyncio.sleep(0.05)
        clock.set_speed(100)
        await asyncio.wait_for(arrived.wait(), 20)  # instead of 30
        await replication.stop()

    asyncio.run(delivered())


def test_the_lag_of_databases_is_turned_into_this_machines_seconds_again() -> None:
    clock, lags = Clock(1), list[float]()
    anything: Any = None
    group = Group(anything, anything, anything, clock, anything, anything)
    member: Any = SimpleNamespace(link=SimpleNamespace(set_lag=lags.append))
    group.members["cluster"] = member
    group.set_lag(20)

    clock.set_speed(10)
    group.pace_lag()

    assert lags == [20, 2]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `endpoints.json` of the server below."""
    return tmp_path_factory.mktemp("clock") / endpoints_file.FILE


@pytest.fixture(scope="module")
@starts("emulator")
def server(file: Path) -> Iterator[LocalAws]:
    """A whole embedded AWS of this module's own, whose speed the tests change."""
    with launch.start(log_file=file.with_name("server.log"), remove_at_end=[file]) as running:
        yield LocalAws(running)


@pytest.fixture
def slow(server: LocalAws) -> LocalAws:
    """The module's embedded AWS at speed 1."""
    server.control("clock", {"speed": 1})
    return server


def invoke(aws: LocalAws, name: str, seconds: float = 0, at_work: Path | None = None) -> tuple[str | None, Any]:
    """The result of a function of the code above: FunctionError, and process, speed, grace or the error. It makes
    `at_work` when it begins."""
    event = {"seconds": seconds, "at_work": str(at_work) if at_work else None}
    answer = aws.client("lambda", read_timeout=120, max_pool_connections=20).invoke(
        FunctionName=name, Payload=json.dumps(event)
    )
    return answer.get("FunctionError"), json.load(answer["Payload"])


def test_the_control_api_sets_the_speed_in_the_status_and_the_file(slow: LocalAws, file: Path) -> None:
    file.write_text(json.dumps({"environment": "dev", "speed": 1.0}))

    assert slow.control("clock", {"speed": 3}) == {"speed": 3.0}

    assert slow.status()["speed"] == 3.0
    assert json.loads(file.read_text()) == {"environment": "dev", "speed": 3.0}


def test_the_speed_can_be_set_before_there_is_a_file(slow: LocalAws, file: Path) -> None:
    file.unlink(missing_ok=True)

    slow.control("clock", {"speed": 3})

    assert not file.exists()


@pytest.mark.parametrize("speed", ["3", None, True, 0, -1, 100.5, float("nan")])
def test_a_speed_that_cannot_be_is_refused(slow: LocalAws, speed: Any) -> None:
    headers = {"content-type": "application/json"}
    answer = httpx.post(f"{slow.server.control}/clock", content=json.dumps({"speed": speed}), headers=headers)

    message = f"speed is {speed!r}; a number above 0 and up to 100 is needed"
    assert (answer.status_code, answer.json()) == (400, {"error": message})
    assert slow.status()["speed"] == 1.0


def test_a_function_starts_anew_at_the_new_speed(slow: LocalAws, name: str) -> None:
    deploy_function(slow, name, REPORT)
    _, (process, *before) = invoke(slow, name)

    slow.control("clock", {"speed": 3})

    _, (other, *after) = invoke(slow, name)
    assert (before, after) == (["1", "30.000"], ["3", "10.000"])
    assert other != process


def test_an_invocation_under_way_ends_in_time_or_is_ended(slow: LocalAws, name: str, tmp_path: Path) -> None:
    deploy_function(slow, name, REPORT)
    begun = [tmp_path / "short", tmp_path / "long"]
    with ThreadPoolExecutor(2) as pool:
        short, long = (pool.submit(invoke, slow, name, *each) for each in zip((0.5, 25), begun, strict=True))
        assert eventually(lambda: all(each.exists() for each in begun))
        slow.control("clock", {"speed": 3})
        assert invoke(slow, name)[1][1] == "3", "a new invocation waits for none of them"
        kind, (_, speed, _) = short.result()
        assert (kind, speed) == (None, "1")
        kind, _ = long.result()

    assert kind == "Unhandled", "it was not waited for"


def test_recycling_ends_every_environment_once_it_is_idle(slow: LocalAws, name: str, tmp_path: Path) -> None:
    deploy_function(slow, name, REPORT)
    with ThreadPoolExecutor(2) as pool:
        first = {answer[1][0] for answer in pool.map(lambda _: invoke(slow, name, 0.5), range(2))}
        busy = pool.submit(invoke, slow, name, 5, tmp_path / "busy")
        assert eventually((tmp_path / "busy").exists)

        recycled = slow.control("workers/recycle", {})["recycled"]

        fresh = invoke(slow, name)[1][0]
        kind, (process, *_) = busy.result()
    assert recycled >= len(first) >= 1
    assert (kind, process in first, fresh in first) == (None, True, False)
    assert eventually(lambda: not Path(f"/proc/{process}").exists()), "it ends after its invocation"
    assert slow.control("workers/recycle", {})["recycled"] >= 1, "the fresh one"
    assert slow.control("workers/recycle", {}) == {"recycled": 0}


def test_a_lost_region_takes_retired_environments_with_it(slow: LocalAws, name: str, tmp_path: Path) -> None:
    deploy_function(slow, name, REPORT)
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(invoke, slow, name, 25, tmp_path / "busy")
        assert eventually((tmp_path / "busy").exists)
        slow.control("workers/recycle", {})
        started = time.monotonic()
        slow.lose("us-east-1")
        try:
            busy.exception()
        finally:
            slow.heal("us-east-1")

    assert time.monotonic() - started < 20, "less than the function takes"


def test_a_schedule_follows_the_speed(slow: LocalAws, name: str) -> None:
    sqs = slow.client("sqs")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    slow.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}", "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/any"},
    )

    def ran() -> bool:
        return bool(sqs.receive_message(QueueUrl=queue).get("Messages"))

    assert eventually(ran), "the first run comes with the schedule"

    slow.control("clock", {"speed": 100})

    assert eventually(ran, within=30), "the second one was a minute away"
    slow.client("scheduler").delete_schedule(Name=name)


def test_lambda_tries_again_at_the_new_speed(slow: LocalAws, name: str) -> None:
    sqs = slow.client("sqs")
    letters = sqs.create_queue(QueueName=name)["QueueUrl"]
    dead = {"TargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"}
    deploy_function(slow, name, "def handler(event, context): raise ValueError", DeadLetterConfig=dead)
    slow.control("clock", {"speed": 100})

    slow.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload="{}")

    assert eventually(lambda: sqs.receive_message(QueueUrl=letters).get("Messages")), "after 3 AWS minutes"


def test_what_a_schedule_called_is_called_again_once(slow: LocalAws, name: str, tmp_path: Path) -> None:
    """By the schedule, unless it was disabled meanwhile, and not by a retry. Direct invocations are retried."""
    code = """
        import pathlib, time

        def handler(event, context):
            with pathlib.Path(event).open("a") as calls:
                calls.write("x")
            if pathlib.Path(event).read_text() == "x":
                time.sleep(25)
            if event.endswith("direct"):
                raise ValueError
    """
    arn = deploy_function(slow, name, code)
    ended, goes_on, direct = (tmp_path / each for each in ("ended", "goes-on", "direct"))
    scheduler = slow.client("scheduler")
    schedules = [
        {
            "Name": f"{name}-{each.name}",
            "ScheduleExpression": "rate(1 day)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": arn, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/any", "Input": json.dumps(str(each))},
        }
        for each in (ended, goes_on)
    ]
    for schedule in schedules:
        scheduler.create_schedule(**schedule)
    slow.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(str(direct)))
    assert eventually(lambda: ended.exists() and goes_on.exists() and direct.exists())
    scheduler.update_schedule(**schedules[0], State="DISABLED")

    slow.control("clock", {"speed": 100})

    assert eventually(lambda: direct.read_text() == "xxx"), "after what the others could retry"
    assert (ended.read_text(), goes_on.read_text()) == ("x", "xx")
    for schedule in schedules:
        scheduler.delete_schedule(Name=schedule["Name"])


def test_a_wait_of_a_workflow_follows_the_speed(slow: LocalAws, name: str) -> None:
    states = slow.client("stepfunctions")
    definition = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}
    machine = states.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/any"
    )["stateMachineArn"]
    slow.control("clock", {"speed": 100})

    execution = states.start_execution(stateMachineArn=machine)["executionArn"]

    def status() -> str:
        return str(states.describe_execution(executionArn=execution)["status"])

    assert eventually(lambda: status() == "SUCCEEDED", within=30), "it waits for a minute at speed 1"


def test_an_alarm_goes_on_when_time_gets_slower(slow: LocalAws, name: str) -> None:
    """Its periods are numbered in AWS time, which does not run back."""
    slow.control("clock", {"speed": 100})
    cloudwatch = slow.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace="Test", MetricName=name, Statistic="Maximum", Period=10, EvaluationPeriods=1,
        Threshold=1.0, ComparisonOperator="GreaterThanOrEqualToThreshold", TreatMissingData="notBreaching",
    )  # fmt: skip

    def state() -> str:
        return str(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])

    assert eventually(lambda: state() == "OK")
    slow.control("clock", {"speed": 5})
    cloudwatch.put_metric_data(Namespace="Test", MetricData=[{"MetricName": name, "Value": 5}])

    assert eventually(lambda: state() == "ALARM", within=20)
    assert eventually(lambda: state() == "OK")
