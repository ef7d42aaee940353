"""Lambda workers are processes of this machine: a burst of calls must not start one for each."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.local.embedded import LocalAws, deploy_function, eventually

HELD = """
    import os
    import pathlib
    import time

    def handler(event, context):
        print("called")
        while not pathlib.Path(event).exists():
            time.sleep(0.05)
        return os.getpid()
"""

NESTED = """
    import boto3, json

    def handler(event, context):
        print("called")
        if event:
            boto3.client("lambda").invoke(FunctionName=context.function_name, Payload=json.dumps(event - 1))
        return event
"""


def test_a_burst_is_served_by_a_few_workers_and_the_rest_is_throttled_early(
    aws: LocalAws, name: str, tmp_path: Path
) -> None:
    deploy_function(aws, name, HELD)
    client = aws.client("lambda", read_timeout=60, max_pool_connections=40)
    may_end = tmp_path / "may-end"

    def invoke() -> int | None:
        try:
            return int(json.load(client.invoke(FunctionName=name, Payload=json.dumps(str(may_end)))["Payload"]))
        except client.exceptions.TooManyRequestsException:
            return None

    with ThreadPoolExecutor(40) as pool:
        calls = [pool.submit(invoke) for _ in range(40)]
        try:
            throttled = eventually(lambda: [each for each in calls if each.done() and each.result() is None])
        finally:
            may_end.touch()
    workers = {worker for each in calls if (worker := each.result()) is not None}

    assert throttled, "40 calls at once were all kept by at most 8 workers with room for 8 more to wait"
    assert 0 < len(workers) <= 8
    assert invoke() in workers, "after the burst a call finds a worker"


def test_a_handler_that_raises_keeps_its_worker(aws: LocalAws, name: str) -> None:
    code = """
        import os

        def handler(event, context):
            print("called")
            if event == "raise":
                raise ValueError(f"bad event in {os.getpid()}")
            return os.getpid()
    """
    deploy_function(aws, name, code)

    def invoke(event: str) -> tuple[str | None, Any]:
        answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        return answer.get("FunctionError"), json.load(answer["Payload"])

    _, worker = invoke("report")
    kind, raised = invoke("raise")

    assert (kind, raised["errorMessage"]) == ("Unhandled", f"bad event in {worker}")
    assert invoke("report") == (None, worker)


def test_a_worker_that_cannot_start_does_not_take_the_others_with_it(aws: LocalAws, name: str) -> None:
    code = f"""
        import os, tempfile, time

        first = os.path.join(tempfile.gettempdir(), "{name}")
        try:
            os.mkdir(first)
        except FileExistsError:
            time.sleep(1)
        else:
            time.sleep(0.3)
            raise ValueError("the first one breaks")

        def handler(event, context):
            return "done"
    """
    deploy_function(aws, name, code)
    client = aws.client("lambda", read_timeout=60)
    with ThreadPoolExecutor(2) as pool:
        answers = [
            json.load(answer["Payload"]) for answer in pool.map(lambda _: client.invoke(FunctionName=name), "ab")
        ]

    assert "done" in answers
    assert "the first one breaks" in str(answers)


def test_a_function_may_call_itself(aws: LocalAws, name: str) -> None:
    deploy_function(aws, name, NESTED)

    answer = aws.client("lambda", read_timeout=60).invoke(FunctionName=name, Payload="1")

    assert answer["Payload"].read() == b"1"
