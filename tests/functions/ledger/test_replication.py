"""The state of the journal's replication, from what DescribeTable answers."""

import io
import json
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError, ConnectTimeoutError
from ledger.application import Application
from ledger.replication import replication_problem
from ledger.settings import Settings

from tests.functions.harness import EAST_1, EAST_2, variables

KEY_LOST = "INACCESSIBLE_ENCRYPTION_CREDENTIALS"


class Described:
    """A DynamoDB client with one answer or error."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self._answer = answer

    def describe_table(self, *, TableName: str) -> dict[str, Any]:
        assert TableName == "journal"
        if isinstance(self._answer, Exception):
            raise self._answer
        return {"Table": self._answer}


def table(*, status: str = "ACTIVE", **replicas: str) -> dict[str, Any]:
    every = [{"RegionName": name.replace("_", "-"), "ReplicaStatus": state} for name, state in replicas.items()]
    return {"TableStatus": status, "Replicas": every}


@pytest.mark.parametrize(
    "described",
    [
        table(us_east_2="ACTIVE"),
        table(us_east_2="UPDATING", status="UPDATING"),
        table(us_east_1="ACTIVE", us_east_2="ACTIVE"),
    ],
)
def test_a_replica_that_works_is_no_problem(described: dict[str, Any]) -> None:
    assert replication_problem(Described(described), table="journal", peer_region=EAST_2) == ""


@pytest.mark.parametrize(
    ("described", "problem"),
    [
        (table(us_east_2=KEY_LOST), f"us-east-2: {KEY_LOST}"),
        (table(us_east_2="REGION_DISABLED"), "us-east-2: REGION_DISABLED"),
        (table(us_east_2="REPLICATION_NOT_AUTHORIZED"), "us-east-2: REPLICATION_NOT_AUTHORIZED"),
        (table(us_east_1=KEY_LOST, us_east_2="ACTIVE"), f"us-east-1: {KEY_LOST}"),
        (table(us_east_1="ACTIVE"), "no replica in us-east-2"),
        ({"TableStatus": "ACTIVE"}, "no replica in us-east-2"),
        (table(us_east_2="ACTIVE", status=KEY_LOST), f"the table in the own region is {KEY_LOST}"),
        (
            {**table(us_east_2="ACTIVE"), "SSEDescription": {"InaccessibleEncryptionDateTime": 1}},
            "the key of the own region is inaccessible",
        ),
        (ClientError({"Error": {"Code": "AccessDeniedException"}}, "DescribeTable"), "AccessDeniedException"),
        (ConnectTimeoutError(endpoint_url="https://any"), "ConnectTimeoutError"),
    ],
)
def test_everything_else_is_a_problem(described: Any, problem: str) -> None:
    assert problem in replication_problem(Described(described), table="journal", peer_region=EAST_2)


@pytest.mark.parametrize(("state", "value"), [("ACTIVE", 0.0), (KEY_LOST, 1.0)])
def test_the_minutes_call_reports_it_whether_or_not_it_may_post(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: str, value: float
) -> None:
    log = io.StringIO()
    settings = {
        **variables(EAST_1),
        "JOURNAL_TABLE": "journal",
        "CLUSTER_ARN": f"arn:aws:rds:{EAST_1}:000000000000:cluster:aurora",
        "DATABASE_SECRET": "secret",
        "DATABASE_NAME": "payments",
        "DATABASE_ENGINE": "aurora-postgresql",
        "ANNOUNCER_FUNCTION": "announcer",
        "POISON_QUEUE_URL": "https://poison",
        "BACKLOG_TABLE": "backlog",
        "PEER_BACKLOG_TABLE": "backlog",
    }
    application = Application(Settings.read(settings), Logger(service=f"ledger-{state}", stream=log))
    monkeypatch.setattr(application, "_table", Described(table(us_east_2=state)))

    application._check_replication()
    application._metrics.flush_metrics()

    (published,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert published["JournalReplicationProblems"] == [value]
    assert ("journal-not-replicated" in log.getvalue()) == (value > 0)
