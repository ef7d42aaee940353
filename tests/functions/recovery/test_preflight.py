"""A failback does not begin while there is a backlog that the writer's ledger could not post before, or while the lag
of its future writer is high or unknown."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.session import Session
from recovery import context
from recovery.context import RecoveryContext
from recovery.preflight import backlog_problems, reader_lag

from tests.functions.harness import EAST_1, EAST_2, Tables
from tests.functions.recovery.aurora import Aurora
from tests.functions.recovery.settings import recovery_settings

REPLAYED = {"checked": 5, "missing": 2, "posted": 2, "poisoned": 0, "waiting": 0}
DONE = {**REPLAYED, "done": True, "continuation": None}
Make = Callable[..., RecoveryContext]


class Ledger:
    """Lambda with a ledger that answers `answer`."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self._answer = answer
        self.requests: list[dict[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.requests.append({"function": FunctionName, **json.loads(Payload)})
        failed = {"FunctionError": "Unhandled"} if "errorType" in self._answer else {}
        return {**failed, "Payload": io.BytesIO(json.dumps(self._answer).encode())}


@pytest.fixture
def make(tables: Tables, aws_session: Session) -> Make:
    """A context in us-east-2 whose regions have these backlogs."""
    assert tables, "moto is not at work"

    def made(ledger: Ledger, *, regions: tuple[str, ...] = (EAST_1, EAST_2)) -> RecoveryContext:
        for region in regions:
            dynamodb: Any = aws_session.create_client("dynamodb", region_name=region)
            dynamodb.create_table(
                TableName="backlog",
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
                BillingMode="PAY_PER_REQUEST",
            )
        return replace(context.make_context(recovery_settings()), long_call_client=lambda *_: ledger)

    return made


def test_a_ledger_that_has_posted_everything_is_no_problem(make: Make) -> None:
    ledger = Ledger(DONE)

    assert backlog_problems(make(ledger), moves=True) == []
    (request,) = ledger.requests
    assert (request["function"], request["operation"]) == ("ledger", "replay")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({**REPLAYED, "done": False, "continuation": {"until": "x"}}, "has more to post"),
        ({"errorType": "DatabaseUnavailable", "errorMessage": "BadRequestException"}, "DatabaseUnavailable"),
    ],
)
def test_a_ledger_that_is_behind_or_fails_is_one(make: Make, answer: dict[str, Any], problem: str) -> None:
    (found,) = backlog_problems(make(Ledger(answer)), moves=True)

    assert problem in found


def test_a_writer_that_may_not_post_is_none_since_the_next_one_reads_the_same_backlogs(make: Make) -> None:
    assert backlog_problems(make(Ledger({"errorType": "Paused", "errorMessage": "fenced"})), moves=True) == []


def test_a_writer_that_does_not_move_leaves_nothing_behind(make: Make) -> None:
    ledger = Ledger({"errorType": "DatabaseUnavailable", "errorMessage": "a reader"})

    assert backlog_problems(make(ledger), moves=False) == []
    assert ledger.requests == []


def test_a_region_whose_backlog_does_not_answer_is_one(make: Make) -> None:
    (found,) = backlog_problems(make(Ledger(DONE), regions=(EAST_2,)), moves=True)

    assert found == "the backlog in us-east-1 is unavailable: ResourceNotFoundException"


def lag_in_east_1(aurora: Aurora) -> tuple[float | None, str | None]:
    """Of the reader in us-east-1; the writer is in us-east-2, where the context is."""
    return reader_lag(EAST_1, replace(context.make_context(recovery_settings()), client=aurora))


def test_a_lag_below_the_limit_is_no_problem() -> None:
    aurora = Aurora(writer=EAST_2, accepts_writes={EAST_2}, lags={EAST_2: -1, EAST_1: 1500})

    assert lag_in_east_1(aurora) == (1.5, None)


def test_a_lag_above_the_limit_is_one() -> None:
    aurora = Aurora(writer=EAST_2, accepts_writes={EAST_2}, lags={EAST_2: -1, EAST_1: 12_000})

    assert lag_in_east_1(aurora) == (12.0, "the database in us-east-1 is 12.0 s behind; the limit is 10.0 s")


@pytest.mark.parametrize("lags", [{EAST_2: -1}, {EAST_2: -1, EAST_1: -1}, {EAST_2: -1, EAST_1: None}])
def test_a_lag_that_the_writer_does_not_show_is_one(lags: dict[str, int | None]) -> None:
    lag, problem = lag_in_east_1(Aurora(writer=EAST_2, accepts_writes={EAST_2}, lags=lags))

    assert lag is None
    assert problem == (
        "the replication lag of the database in us-east-1 is unknown: the writer in us-east-2 shows none"
    )


def test_a_writer_that_does_not_answer_is_one() -> None:
    lag, problem = lag_in_east_1(Aurora(writer=EAST_2, silent={("rds-data", EAST_2)}))

    assert lag is None
    assert problem is not None
    assert problem.endswith("is unknown: the writer in us-east-2 does not answer: ConnectTimeoutError")
