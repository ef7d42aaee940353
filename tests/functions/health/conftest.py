"""The health function in a region, on the tables of both regions."""

import io
from typing import Any
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger
from health.application import Application
from health.settings import Settings

from common.aws_clients import DynamoDbClients
from common.control.observe import ControlObserver
from tests.functions.harness import EAST_1, EVENTS, Function, MakeFunction, Tables, variables

_clients = DynamoDbClients()  # parses the service model once for all tests


@pytest.fixture
def function(tables: Tables) -> MakeFunction:
    """Makes the health function in a region, in the place of the payments function that other tests make."""

    class ConnectedClients(DynamoDbClients):
        def __init__(self) -> None:
            """No session of its own."""

        def dynamodb(self, region: str, *, timeout_seconds: float) -> Any:
            client = _clients.dynamodb(region, timeout_seconds=timeout_seconds)
            tables.connect(client)
            return client

    def make(region: str = EAST_1, *, entry_point: str = "load-balancer", **changed: str) -> Function:
        log = io.StringIO()
        settings = Settings.read(variables(region, **changed))
        logger = Logger(service=f"health-{uuid4()}", stream=log)
        made = Application(settings, ControlObserver.from_settings(settings, ConnectedClients()), logger)
        return Function(made.answer, log, EVENTS[entry_point])

    return make
