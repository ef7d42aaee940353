"""Work without a request in a lost region, for what takes the emulator's slow clocks or a race to see over HTTP."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

# Patches the emulator in a process of its own, runs `scenario(outages, reported)`, and prints `reported`.
PROGRAM = """
import asyncio, json, subprocess, sys, time
from localaws import emulator
from localaws.server.background import BackgroundWork
from localaws.core.clock import Clock
from localaws.core.outages import Outages, OutageKind
from localaws.services.replication import Replication
from ministack.core import lambda_runtime
from ministack.core.responses import request_scope
from ministack.services import eventbridge, lambda_svc

def spawn(worker):
    worker._proc = subprocess.Popen(["sleep", "30"])

async def main():
    reported = []
    outages = Outages(("us-east-1", "us-east-2"))
    replication = Replication(Clock(), outages)
    eventbridge._invoke_target = lambda target, event, rule, view=None: reported.append(rule["ScheduleExpression"])
    lambda_svc._execute_function = lambda func, event: reported.append(func["FunctionArn"]) or {{"body": "done"}}
    lambda_runtime.Worker._spawn = spawn
    BackgroundWork(Clock(), outages, replication).install()
    await replication.start()
{scenario}
    await replication.stop()
    print(json.dumps(reported))

asyncio.run(main())
"""


def _reported(scenario: str, folder: Path) -> Any:
    program = PROGRAM.format(scenario=textwrap.indent(textwrap.dedent(scenario), "    "))
    environment = {"HOME": str(folder), "TMPDIR": str(folder), "GATEWAY_PORT": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


FIRE = """
def fire(expression, region):
    with request_scope("000000000000", region):
        eventbridge._invoke_target({}, {}, {"ScheduleExpression": expression})

fire("rate(1 minute)", "us-east-1")
reported.append("lost")
outages.lose("us-east-1", OutageKind.HANG)
fire("rate(2 minutes)", "us-east-1")
fire("at(2026-01-01T00:00:00)", "us-east-1")
fire("rate(3 minutes)", "us-east-2")
await asyncio.sleep(0.05)
reported.append("healed")
outages.heal("us-east-1")
await asyncio.sleep(0.05)
"""


def test_a_schedule_of_a_lost_region_is_missed_and_a_one_time_one_fires_after_the_heal(tmp_path: Path) -> None:
    assert _reported(FIRE, tmp_path) == [
        "rate(1 minute)",
        "lost",
        "rate(3 minutes)",
        "healed",
        "at(2026-01-01T00:00:00)",
    ]


EXECUTE = """
arn = "arn:aws:lambda:{}:000000000000:function:pay"
def execute(region):
    result = lambda_svc._execute_function({"FunctionArn": arn.format(region)}, {})
    reported.append(result.get("error", False))

outages.lose("us-east-1", OutageKind.ERROR)
execute("us-east-1")
execute("us-east-2")
"""


def test_nobody_can_run_a_function_in_a_lost_region(tmp_path: Path) -> None:
    assert _reported(EXECUTE, tmp_path) == [True, "arn:aws:lambda:us-east-2:000000000000:function:pay", False]


# As if the region were lost between the check and the start of the process.
SPAWN = """
class Worker:
    config = {"FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:pay"}

alive = Worker()
lambda_runtime.Worker._spawn(alive)
reported.append(alive._proc.poll())
alive._proc.kill()

outages.lose("us-east-1", OutageKind.ERROR)
late = Worker()
try:
    lambda_runtime.Worker._spawn(late)
except RuntimeError as error:
    reported.append(str(error))
reported.append(late._proc.wait(timeout=60))
"""


def test_a_worker_that_starts_while_its_region_is_lost_is_killed(tmp_path: Path) -> None:
    assert _reported(SPAWN, tmp_path) == [None, "region us-east-1 is lost", -9]


def test_event_source_mappings_of_a_lost_region_are_left_out(tmp_path: Path) -> None:
    scenario = """
        lambda_svc._esms._data[("0", "us-east-1", "a")] = {"UUID": "a"}
        lambda_svc._esms._data[("0", "us-east-2", "b")] = {"UUID": "b"}
        outages.lose("us-east-1", OutageKind.RESET)
        reported += [mapping[1] for mapping in lambda_svc._iter_all_esms()]
    """
    assert _reported(scenario, tmp_path) == ["us-east-2"]


BOUND = """
emulator.lambda_.bound_workers(most=2, starting=1, hesitation=0.02, timeout=0.2)

def acquire():
    worker, how = lambda_svc.acquire_worker("pay", config, b"")
    reported.append(how)
    return worker

config = {"FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:pay"}
first = acquire()
acquire()              # while the first still starts
first._start_time = 1  # it has started
second = acquire()     # and is at work
second._start_time = 1
acquire()              # there are two already
asyncio.get_running_loop().run_in_executor(None, lambda: time.sleep(0.05) or lambda_svc.release_worker(first))
acquire()
"""


def test_an_execution_waits_for_a_worker_and_is_throttled_when_none_gets_free(tmp_path: Path) -> None:
    assert _reported(BOUND, tmp_path) == ["spawn", "func_cap", "spawn", "func_cap", "reused"]
