"""The last step of a Region switch plan: what it needs, and what may fail."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from recovery import context, region_switch
from recovery.context import RecoveryContext
from recovery.models import Replayed, VerifyOutput

from common.aws_clients import DynamoDbClients
from tests.functions.harness import EAST_1, EAST_2, Tables
from tests.functions.recovery.settings import recovery_settings

_clients = DynamoDbClients()
REPLAYED = Replayed(checked=0, missing=0, posted=0, poisoned=0, waiting=0, done=True)
PROVEN = VerifyOutput(payment_id="p", durability="both-regions", endpoints={}, posted_after_seconds=1.0, at="now")


class Silent:
    """A service that never answers."""

    def __getattr__(self, operation: str) -> Any:
        if operation == "exceptions":
            return type("Exceptions", (), {"ParameterNotFound": KeyError})
        raise EndpointConnectionError(endpoint_url="https://silent")


@pytest.fixture
def ctx(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> RecoveryContext:
    class ConnectedClients:
        def dynamodb(self, region: str, *, timeout_seconds: float) -> Any:
            client = _clients.dynamodb(region, timeout_seconds=timeout_seconds)
            tables.connect(client)
            return client

    monkeypatch.setattr(context, "DynamoDbClients", ConnectedClients)
    monkeypatch.setattr(region_switch, "_wait_for_writer", lambda *_: None)
    monkeypatch.setattr(region_switch, "replay", lambda *_: REPLAYED)
    monkeypatch.setattr(region_switch, "verify_payment", lambda *_: PROVEN)
    return context.make_context(recovery_settings())


def test_a_step_that_has_proven_the_recovery_succeeds_without_parameter_store_and_notifications(
    ctx: RecoveryContext, tables: Tables
) -> None:
    region_switch.fence_peer(ctx)

    done = region_switch.take_over(replace(ctx, client=lambda *_: Silent()))

    assert tables.items(EAST_2)["control#writer"]["region"] == {"S": EAST_2}
    assert tables.items(EAST_2)[f"region#{EAST_1}"]["state"] == {"S": "fenced"}
    assert done["verification"]["payment_id"] == "p"
    assert done["parameter"] == {"failure": "Parameter Store did not answer: EndpointConnectionError"}
    assert done["notification"] == {"failure": "SNS did not answer: EndpointConnectionError"}
