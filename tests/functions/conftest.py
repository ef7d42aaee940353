"""The functions as an archive holds them: `functions/` is the root that `payments` and `common` are imported from."""

import io
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger
from botocore.session import Session
from hypothesis import settings
from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.dynamodb.responses import DynamoHandler

sys.path.insert(0, str(Path(__file__).parents[2] / "functions"))

from payments import application
from payments.settings import Settings

from common.aws_clients import DynamoDbClients
from tests.functions.harness import EAST_1, EAST_2, EVENTS, TABLE, Function, MakeFunction, Tables, variables

_clients = DynamoDbClients()  # parses the service model once for all tests


# Examples per property: few for a pull request, many in the nightly run (`python -m tests --all`).
settings.register_profile("quick", max_examples=25, deadline=None, print_blob=True)
settings.register_profile("thorough", max_examples=100, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(scope="module", autouse=True)
def _no_aws_of_the_user() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_CONFIG_FILE", "/nowhere")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        yield


@pytest.fixture(scope="session")
def aws_session() -> Session:
    """Parses each service model once."""
    return Session()


@pytest.fixture(scope="module")
def _journal_clients(_no_aws_of_the_user: None, aws_session: Session) -> Iterator[dict[str, Any]]:
    """DynamoDB clients of both regions; moto runs once per module."""
    lock, unlocked = threading.RLock(), DynamoHandler.call_action

    def locked(handler: Any) -> Any:  # moto's conditional writes race with each other; DynamoDB's do not
        with lock:
            return unlocked(handler)

    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setattr(DynamoHandler, "call_action", locked)
        clients: dict[str, Any] = {
            region: aws_session.create_client("dynamodb", region_name=region) for region in (EAST_1, EAST_2)
        }
        yield clients


@pytest.fixture
def tables(_journal_clients: dict[str, Any]) -> Tables:
    """Empty tables in both regions, in a moto without other resources."""
    BackendDict.reset()
    for client in _journal_clients.values():
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    return Tables(_journal_clients)


@pytest.fixture
def function(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> MakeFunction:
    """Makes the function in a region, on the moto tables."""

    class ConnectedClients:
        def dynamodb(self, region: str, *, timeout_seconds: float) -> Any:
            client = _clients.dynamodb(region, timeout_seconds=timeout_seconds)
            tables.connect(client)
            return client

    monkeypatch.setattr(application, "DynamoDbClients", ConnectedClients)

    def make(region: str = EAST_1, *, entry_point: str = "load-balancer", **changed: str) -> Function:
        log = io.StringIO()
        logger = Logger(service=f"payments-{uuid4()}", stream=log)
        made = application.Application(Settings.read(variables(region, **changed)), logger)
        return Function(made.answer, log, EVENTS[entry_point])

    return make
