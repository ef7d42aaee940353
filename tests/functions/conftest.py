"""The functions as an archive holds them: `functions/` is the root that `payments` and `common` are imported from."""

import io
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger
from botocore.session import Session
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

sys.path.insert(0, str(Path(__file__).parents[2] / "functions"))

from payments import application
from payments.settings import Settings

from common.aws_clients import DynamoDbClients
from tests.functions.harness import DOORS, EAST_1, EAST_2, TABLE, Function, MakeFunction, Tables, variables

_clients = DynamoDbClients()  # parses the service model once for all tests


@pytest.fixture(autouse=True)
def _no_aws_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")


@pytest.fixture(scope="session")
def _session() -> Session:
    return Session()


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch, _session: Session) -> Iterator[Tables]:
    """Empty tables in both regions, in moto."""
    lock, unlocked = threading.RLock(), DynamoHandler.call_action

    def locked(handler: Any) -> Any:  # moto's conditional writes race with each other; DynamoDB's do not
        with lock:
            return unlocked(handler)

    monkeypatch.setattr(DynamoHandler, "call_action", locked)
    with mock_aws():
        clients: dict[str, Any] = {
            region: _session.create_client("dynamodb", region_name=region) for region in (EAST_1, EAST_2)
        }
        for client in clients.values():
            client.create_table(
                TableName=TABLE,
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        yield Tables(clients)


@pytest.fixture
def function(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> MakeFunction:
    """Makes the function in a region, on the moto tables."""

    class ConnectedClients:
        def dynamodb(self, region: str, *, timeout_seconds: float) -> Any:
            client = _clients.dynamodb(region, timeout_seconds=timeout_seconds)
            tables.connect(client)
            return client

    monkeypatch.setattr(application, "DynamoDbClients", ConnectedClients)

    def make(region: str = EAST_1, *, door: str = "load-balancer", **changed: str) -> Function:
        log = io.StringIO()
        logger = Logger(service=f"payments-{uuid4()}", stream=log)
        made = application.Application(Settings.read(variables(region, **changed)), logger)
        return Function(made.answer, log, DOORS[door])

    return make
