"""Responses to clients while one region's journal does not respond."""

import pytest

from tests.functions.harness import EAST_1, EAST_2, MakeFunction, Tables

BOTH = pytest.mark.parametrize(("region", "peer"), [(EAST_1, EAST_2), (EAST_2, EAST_1)])


@BOTH
def test_a_payment_is_accepted_in_one_region_and_reports_it(
    function: MakeFunction, tables: Tables, region: str, peer: str
) -> None:
    service = function(region)
    tables.silent = {peer}

    accepted = service.pay()

    assert accepted.status == 202
    assert accepted.body["durability"] == "one-region"
    assert "payment#order-0001" in tables.items(region)
    assert service.ask("GET", "/payments/order-0001").status == 200


@BOTH
def test_a_repeated_payment_is_completed_once_the_peer_is_back(
    function: MakeFunction, tables: Tables, region: str, peer: str
) -> None:
    service = function(region)
    tables.silent = {peer}
    first, while_lost = service.pay(), service.pay()
    tables.silent = set()

    again = service.pay()

    assert (first.status, while_lost.status, again.status) == (202, 200, 200)
    assert while_lost.body == first.body
    assert again.body == {**first.body, "durability": "both-regions"}
    assert tables.items(EAST_1) == tables.items(EAST_2)


@BOTH
def test_the_rule_both_refuses_until_both_regions_hold_it(
    function: MakeFunction, tables: Tables, region: str, peer: str
) -> None:
    service = function(region, DURABILITY="both")
    tables.silent = {peer}

    refused = service.pay()
    tables.silent = set()
    again = service.pay()

    assert refused.status == 503
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert int(refused.headers["Retry-After"]) >= 1
    assert again.status in (200, 201)
    assert again.body["durability"] == "both-regions"
    assert tables.items(EAST_1) == tables.items(EAST_2)


@pytest.mark.parametrize("region", [EAST_1, EAST_2])
def test_a_lost_own_journal_refuses_everything(function: MakeFunction, tables: Tables, region: str) -> None:
    service = function(region)
    tables.silent = {region}

    answers = [service.pay(), service.ask("GET", "/payments/order-0001")]
    tables.silent = set()

    assert [answer.status for answer in answers] == [503, 503]
    assert service.pay().body["durability"] == "both-regions", "the retry was not completed"


def test_a_lost_peer_is_not_called_for_every_payment(function: MakeFunction, tables: Tables) -> None:
    service = function(EAST_1, PEER_FAILURES_TO_OPEN="2", PEER_TRIAL_SECONDS="60")
    tables.silent = {EAST_2}
    for number in range(4):
        assert service.pay(id=f"order-{number:04}").status == 202

    reasons = [line["peer_error"] for line in service.log_lines()]
    assert reasons == ["ConnectTimeoutError", "ConnectTimeoutError", "NotAsked", "NotAsked"]


def test_a_peer_that_fails_now_and_then_is_always_called(function: MakeFunction, tables: Tables) -> None:
    service = function(EAST_1, PEER_FAILURES_TO_OPEN="2", PEER_TRIAL_SECONDS="60")
    for number in range(6):
        tables.silent = {EAST_2} if number % 2 else set()
        service.pay(id=f"order-{number:04}")

    assert [line.get("peer_error") for line in service.log_lines()] == [None, "ConnectTimeoutError"] * 3


def test_what_was_accepted_first_stays_when_the_regions_meet_again(function: MakeFunction, tables: Tables) -> None:
    primary, secondary = function(EAST_1), function(EAST_2)
    tables.silent = {EAST_1}
    assert secondary.pay(amount="1.00").status == 202
    tables.silent = set()

    conflicting = primary.pay(amount="2.00")  # nothing was replicated yet: the arbiter's replica accepts it at first
    again = primary.pay(amount="1.00")

    assert conflicting.status == 409
    assert again.status == 200
    assert again.body["accepted_in"] == EAST_2
    assert tables.items(EAST_1) == tables.items(EAST_2), "replication would bring back the refused one"
    assert "payment-id-conflict" in [line.get("event") for line in primary.log_lines()]


@BOTH
def test_a_retry_in_the_other_region_keeps_the_first_answer(
    function: MakeFunction, tables: Tables, region: str, peer: str
) -> None:
    tables.silent = {peer}
    first = function(region).pay()
    tables.silent = set()

    again = function(peer).pay()

    assert again.status == 200
    assert again.body == {**first.body, "durability": "both-regions"}
    assert tables.items(EAST_1) == tables.items(EAST_2)


@pytest.mark.parametrize("region", [EAST_1, EAST_2])
def test_replication_that_is_quicker_than_the_second_write_is_no_conflict(
    function: MakeFunction, tables: Tables, region: str
) -> None:
    tables.replicating = True

    accepted = function(region).pay()

    assert accepted.status == 201
    assert accepted.body["durability"] == "both-regions"
    assert tables.items(EAST_1) == tables.items(EAST_2)
