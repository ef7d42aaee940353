"""Lambda's concurrency: reservations, the pool of all other functions, and a region narrowed to its traffic."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from localaws.services.lambda_.concurrency import IN_FLIGHT, Concurrency
from tests.local.embedded import EAST_1, EAST_2, LocalAws, deploy_function, eventually

HELD = """
    import pathlib
    import time

    def handler(event, context):
        pathlib.Path(event + "-began").touch()
        while not pathlib.Path(event).exists():
            time.sleep(0.02)
        return "done"
"""


def test_a_reservation_is_a_pool_of_its_own() -> None:
    pools = Concurrency((EAST_1, EAST_2))
    held = [pools.enter(EAST_1, "payments", 1000) for _ in range(IN_FLIGHT + 1)]

    assert held.count(None) == 1, "a reservation is no wider than this machine"
    assert [pools.enter(EAST_1, "health", 2) is None for _ in range(3)] == [False, False, True]


def test_functions_without_a_reservation_share_what_is_left_of_their_region() -> None:
    pools = Concurrency((EAST_1, EAST_2))
    held = [pools.enter(EAST_1, "payments", None) for _ in range(IN_FLIGHT)]

    assert pools.enter(EAST_1, "health", None) is None
    assert pools.enter(EAST_1, "health", 20) is not None
    assert pools.enter(EAST_2, "health", None) is not None
    assert held[0] is not None
    pools.leave(held[0])
    assert pools.enter(EAST_1, "health", None) is not None
    assert pools.status()["throttled"] == {"health": 1}


def test_a_narrowed_region_narrows_every_pool() -> None:
    pools = Concurrency((EAST_1, EAST_2))
    pools.narrow(EAST_1, 1)

    for reserved in (None, 20):
        assert pools.enter(EAST_1, "payments", reserved) is not None
        assert pools.enter(EAST_1, "payments", reserved) is None
    assert pools.enter(EAST_1, "health", 20) is not None

    pools.narrow(EAST_1, None)
    assert pools.enter(EAST_1, "payments", None) is not None


@pytest.mark.parametrize("most", [0, IN_FLIGHT + 1, "3", True])
def test_a_width_that_cannot_be_is_refused(aws: LocalAws, most: Any) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        aws.control("concurrency", {"region": EAST_1, "most": most})


@pytest.fixture
def narrowed(aws: LocalAws) -> Iterator[Callable[[int], None]]:
    yield lambda most: aws.control("concurrency", {"region": EAST_1, "most": most})
    aws.control("concurrency", {"region": EAST_1, "most": None})


@contextmanager
def occupied(aws: LocalAws, function: str, tmp_path: Path) -> Iterator[Future[Any]]:
    """One execution of `function` is under way."""
    may_end = tmp_path / "may-end"
    client = aws.client("lambda", read_timeout=60)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(lambda: client.invoke(FunctionName=function, Payload=json.dumps(str(may_end))))
        try:
            assert eventually((tmp_path / "may-end-began").exists), "the execution did not begin"
            yield held
        finally:
            may_end.touch()


def _is_throttled(client: Any, function: str, existing: Path) -> bool:
    try:
        client.invoke(FunctionName=function, Payload=json.dumps(str(existing)))  # returns at once
    except ClientError as error:
        return error.response["Error"]["Code"] == "TooManyRequestsException"
    return False


def test_invocations_beyond_the_pool_get_429_and_a_reserved_function_is_served(
    aws: LocalAws, name: str, tmp_path: Path, narrowed: Callable[[int], None]
) -> None:
    client = aws.client("lambda", read_timeout=60)
    for each in (f"{name}-flooded", f"{name}-shared", f"{name}-reserved"):
        deploy_function(aws, each, HELD)
    client.put_function_concurrency(FunctionName=f"{name}-reserved", ReservedConcurrentExecutions=5)
    narrowed(1)

    with occupied(aws, f"{name}-flooded", tmp_path):
        assert _is_throttled(client, f"{name}-flooded", tmp_path)
        assert _is_throttled(client, f"{name}-shared", tmp_path)
        assert not _is_throttled(client, f"{name}-reserved", tmp_path)


def test_a_throttled_asynchronous_invocation_waits(
    aws: LocalAws, name: str, tmp_path: Path, narrowed: Callable[[int], None]
) -> None:
    deploy_function(aws, name, HELD.replace('return "done"', "pathlib.Path(event + '-seen').touch()"))
    narrowed(1)

    with occupied(aws, name, tmp_path):
        for number in range(2):
            (tmp_path / f"later-{number}").touch()
            payload = json.dumps(str(tmp_path / f"later-{number}"))
            aws.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=payload)

    assert eventually(lambda: all((tmp_path / f"later-{number}-seen").exists() for number in range(2)))


def test_a_reservation_that_leaves_less_than_100_is_refused(aws: LocalAws, name: str) -> None:
    client = aws.client("lambda", EAST_2)
    for each in (f"{name}-one", f"{name}-other"):
        deploy_function(aws, each, HELD, region=EAST_2)
    client.put_function_concurrency(FunctionName=f"{name}-one", ReservedConcurrentExecutions=700)

    with pytest.raises(client.exceptions.InvalidParameterValueException, match="below its minimum value of"):
        client.put_function_concurrency(FunctionName=f"{name}-other", ReservedConcurrentExecutions=201)

    client.put_function_concurrency(FunctionName=f"{name}-one", ReservedConcurrentExecutions=699)
    client.put_function_concurrency(FunctionName=f"{name}-other", ReservedConcurrentExecutions=201)
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 100
    for each in (f"{name}-one", f"{name}-other"):
        client.delete_function_concurrency(FunctionName=each)
