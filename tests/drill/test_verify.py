"""The responses to clients, compared with the journals."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import boto3
import pytest
from moto import mock_aws

from drill.load.payments import payments
from drill.model.attempts import Intent
from drill.observe import journal
from drill.observe.journal import Entry
from drill.verdict import reconcile

REGIONS = ("us-east-1", "us-east-2")
TABLE = "table-journal-test"


@pytest.fixture
def journals() -> Iterator[dict[str, Any]]:
    """One DynamoDB client a region, each with the journal table."""
    with mock_aws():
        clients = {region: boto3.client("dynamodb", region_name=region) for region in REGIONS}
        for client in clients.values():
            client.create_table(
                TableName=TABLE,
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        yield clients


def reported(count: int) -> list[Intent]:
    intents = list(islice(payments(seed=1), count))
    for intent in intents:
        intent.acknowledged = 1.0
    return intents


def keep(client: Any, intent: Intent, **changes: str) -> None:
    fields = intent.body | changes
    item = {"pk": f"payment#{fields.pop('id')}", "kind": "payment", **fields}
    client.put_item(TableName=TABLE, Item={name: {"S": value} for name, value in item.items()})


def compared(clients: dict[str, Any], intents: list[Intent]) -> reconcile.Verification:
    return reconcile.compare(intents, {region: journal.read_journal(clients[region], TABLE) for region in REGIONS})


def test_payments_that_both_regions_hold_as_sent_are_neither_lost_nor_doubled(journals: dict[str, Any]) -> None:
    intents = reported(30)
    for intent in intents:
        for client in journals.values():
            keep(client, intent)

    found = compared(journals, intents)

    assert (found.acknowledged, found.in_journal, found.lost, found.duplicated) == (30, 30, (), ())
    assert found.in_journal_by_region == {"us-east-1": 30, "us-east-2": 30}


def test_an_acknowledged_payment_that_one_region_lacks_is_lost(journals: dict[str, Any]) -> None:
    intents = reported(3)
    for intent in intents:
        keep(journals["us-east-1"], intent)
    for intent in intents[1:]:
        keep(journals["us-east-2"], intent)

    found = compared(journals, intents)

    assert found.in_journal == 2
    assert found.lost == (
        f"{intents[0].reference} ({intents[0].payment_id}) was acknowledged, but is absent in us-east-2",
    )


def test_an_acknowledged_payment_that_neither_region_has_is_one_lost_payment(journals: dict[str, Any]) -> None:
    found = compared(journals, reported(1))

    assert found.acknowledged - found.in_journal == 1
    assert len(found.lost) == 2, "both regions are evidence"


def test_a_payment_with_another_amount_than_the_client_sent_is_lost(journals: dict[str, Any]) -> None:
    [intent] = reported(1)
    keep(journals["us-east-1"], intent)
    keep(journals["us-east-2"], intent, amount="0.01")

    found = compared(journals, [intent])

    assert found.in_journal == 0
    assert "differs in amount in us-east-2" in found.lost[0]
    assert found.duplicated == (f"{intent.payment_id} differs between us-east-1 and us-east-2",)


def test_one_intent_under_two_ids_is_paid_twice(journals: dict[str, Any]) -> None:
    [intent] = reported(1)
    for client in journals.values():
        keep(client, intent)
        keep(client, intent, id="another-id")

    found = compared(journals, [intent])

    assert found.lost == ()
    assert len(found.duplicated) == 1
    assert found.duplicated[0].startswith(f"{intent.reference} was paid 2 times")


def test_two_ids_count_as_paid_twice_also_when_each_is_in_another_region(journals: dict[str, Any]) -> None:
    [intent] = reported(1)
    keep(journals["us-east-1"], intent)
    keep(journals["us-east-2"], intent, id="another-id")

    assert len(compared(journals, [intent]).duplicated) == 1


def test_a_payment_in_the_journal_without_a_response_to_its_client_is_allowed(journals: dict[str, Any]) -> None:
    [intent] = reported(1)
    untold = replace(intent, acknowledged=None)
    for client in journals.values():
        keep(client, untold)

    found = compared(journals, [untold])

    assert (found.acknowledged, found.unconfirmed, found.lost, found.duplicated) == (0, 1, (), ())


def test_the_whole_journal_is_read_page_by_page(journals: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    intents = reported(12)
    for intent in intents:
        keep(journals["us-east-1"], intent)
    journals["us-east-1"].put_item(TableName=TABLE, Item={"pk": {"S": "control#us-east-1"}})
    monkeypatch.setattr("moto.dynamodb.models.table.RESULT_SIZE_LIMIT", 1000)

    found = journal.read_journal(journals["us-east-1"], TABLE)

    assert set(found) == {intent.payment_id for intent in intents}, "and nothing that is not a payment"
    assert isinstance(found[intents[0].payment_id], Entry)
