"""The answer that decides whether a region gets traffic."""

import time
from typing import Any

import pytest

from tests.functions.harness import EAST_1, EAST_2, EVENTS, MakeFunction, Tables

UNCACHED = {"CONTROL_DECISION_SECONDS": "0.000001"}


def control_record(region: str, state: dict[str, Any] | None, epoch: int = 1) -> dict[str, Any]:
    return {"pk": {"S": f"region#{region}"}, "epoch": {"N": str(epoch)}, **({"state": state} if state else {})}


@pytest.mark.parametrize("entry_point", sorted(EVENTS))
def test_a_region_whose_journal_can_be_read_is_fit(function: MakeFunction, entry_point: str) -> None:
    answer = function(EAST_2, entry_point=entry_point).ask("GET", "/health")

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body == {
        "status": "ok",
        "region": EAST_2,
        "place": "secondary",
        "version": "1.2.3",
        "checks": {
            "journal": "ok",
            "control": "absent",
            "epoch": "0",
            "writer": "us-east-1 since epoch 0",
            "peer": "ok",
            "witness": "silent",
            "ledger": "reader",
        },
    }


def test_a_fenced_region_is_unfit_until_it_is_active_again(function: MakeFunction, tables: Tables) -> None:
    service = function(EAST_1, **UNCACHED)
    tables.put(EAST_1, control_record(EAST_1, {"S": "fenced"}))
    fenced = service.ask("GET", "/health")
    tables.put(EAST_1, control_record(EAST_1, {"S": "active"}, epoch=2))

    assert fenced.status == 503
    assert (fenced.body["status"], fenced.body["reason"]) == ("fenced", "fenced")
    assert fenced.body["detail"] == "this region is fenced"
    assert fenced.headers["Cache-Control"] == "no-store"
    assert service.ask("GET", "/health").status == 200


@pytest.mark.parametrize("entry_point", sorted(EVENTS))
@pytest.mark.parametrize(
    ("user_agent", "counts"),
    [
        ("Amazon-Route53-Health-Check-Service (ref b5996862; report http://amzn.to/1vsZADi)", True),
        ("Amazon Route 53 Health Check Service; ref:b5996862; report http://amzn.to/1vsZADi", True),
        ("ELB-HealthChecker/2.0", False),
        ("curl/8", False),
    ],
)
def test_a_call_of_a_route_53_health_checker_is_stored_as_evidence(
    function: MakeFunction, tables: Tables, entry_point: str, user_agent: str, counts: bool
) -> None:
    service = function(EAST_1, entry_point=entry_point, **UNCACHED)

    for _ in range(2):
        assert service.ask("GET", "/health", headers={"User-Agent": user_agent}).status == 200

    assert ("N" in tables.items(EAST_1)[f"confirmed#{EAST_1}"]["checked_at"]) is counts


def test_a_call_that_finds_the_region_unfit_is_no_evidence(function: MakeFunction, tables: Tables) -> None:
    tables.put(EAST_1, control_record(EAST_1, {"S": "fenced"}))
    service = function(EAST_1, **UNCACHED)

    for _ in range(2):
        service.ask("GET", "/health", headers={"User-Agent": "Amazon-Route53-Health-Check-Service"})

    assert tables.items(EAST_1)[f"confirmed#{EAST_1}"]["checked_at"] == {"NULL": True}


def test_a_fence_of_the_other_region_is_ignored(function: MakeFunction, tables: Tables) -> None:
    tables.put(EAST_1, control_record(EAST_2, {"S": "fenced"}))

    assert function(EAST_1).ask("GET", "/health").status == 200


@pytest.mark.parametrize("state", [None, {"S": "Fenced"}, {"N": "1"}, {"BOOL": True}])
def test_a_malformed_control_record_fences_nothing(
    function: MakeFunction, tables: Tables, state: dict[str, Any] | None
) -> None:
    tables.put(EAST_1, control_record(EAST_1, state))

    answer = function(EAST_1).ask("GET", "/health")

    assert answer.status == 200
    assert answer.body["checks"]["control"] == "unknown"


def test_a_region_whose_journal_does_not_answer_is_unfit(function: MakeFunction, tables: Tables) -> None:
    service = function(EAST_1)
    tables.silent = {EAST_1}

    answer = service.ask("GET", "/health")

    assert answer.status == 503
    assert (answer.body["status"], answer.body["reason"]) == ("unavailable", "journal-unavailable")
    assert service.log_lines()[-1]["checks"] == {"journal": "ConnectTimeoutError"}


def test_a_table_that_is_gone_makes_the_region_unfit(function: MakeFunction) -> None:
    answer = function(EAST_1, JOURNAL_TABLE="another").ask("GET", "/health")

    assert answer.status == 503
    assert answer.body["checks"] == {"journal": "ResourceNotFoundException"}


def test_losing_the_peer_does_not_make_a_region_unfit(function: MakeFunction, tables: Tables) -> None:
    tables.silent = {EAST_2}

    assert function(EAST_1).ask("GET", "/health").status == 200


@pytest.mark.parametrize("entry_point", sorted(EVENTS))
def test_the_shallow_check_calls_nothing(function: MakeFunction, tables: Tables, entry_point: str) -> None:
    tables.silent = {EAST_1, EAST_2}
    service = function(EAST_1, entry_point=entry_point)

    assert service.ask("GET", "/health", query={"depth": "shallow"}).status == 200
    assert service.ask("GET", "/health", query={"depth": "deep"}).status == 503


def test_a_fence_that_only_the_peer_holds_holds_and_is_remembered(function: MakeFunction, tables: Tables) -> None:
    service = function(EAST_1, **UNCACHED)
    tables.put(EAST_2, control_record(EAST_1, {"S": "fenced"}))

    assert service.ask("GET", "/health").status == 503
    tables.silent = {EAST_2}
    assert function(EAST_1).ask("GET", "/health").body["status"] == "fenced", "a new process forgot"


def test_a_region_back_from_an_outage_is_unfit_until_its_peer_has_answered(
    function: MakeFunction, tables: Tables
) -> None:
    service = function(EAST_1, CONTROL_AWAY_SECONDS="0.05", **UNCACHED)
    assert service.ask("GET", "/health").status == 200
    time.sleep(0.06)
    tables.silent = {EAST_2}

    back = service.ask("GET", "/health")
    tables.silent = set()

    assert (back.status, back.body["status"]) == (503, "returning")
    assert function(EAST_1).ask("GET", "/health").status == 200


def test_probes_from_everywhere_cost_one_observation(function: MakeFunction, tables: Tables) -> None:
    service = function(EAST_1)
    service.ask("GET", "/health")
    tables.put(EAST_1, control_record(EAST_1, {"S": "fenced"}))

    assert [service.ask("GET", "/health").status for _ in range(20)] == [200] * 20


def test_everything_it_reads_and_writes_is_a_control_record(function: MakeFunction, tables: Tables) -> None:
    """The function's permissions name these keys (`components/workload/access.py`, `control_records`)."""
    asked: dict[tuple[str, str], set[str]] = {}

    def note(region: str, operation: str, keys: list[str]) -> None:
        asked.setdefault((region, operation), set()).update(keys)

    def watch(client: Any) -> None:
        region = client.meta.region_name

        def read(params: dict[str, Any], **_: Any) -> None:
            (given,) = params["RequestItems"].values()
            note(region, "BatchGetItem", [key["pk"]["S"] for key in given["Keys"]])

        def put(params: dict[str, Any], **_: Any) -> None:
            note(region, "PutItem", [params["Item"]["pk"]["S"]])

        client.meta.events.register_first("provide-client-params.dynamodb.BatchGetItem", read)
        client.meta.events.register_first("provide-client-params.dynamodb.PutItem", put)
        connect(client)

    connect, tables.connect = tables.connect, watch  # type: ignore[method-assign]
    for _ in range(2):
        function(EAST_1, **UNCACHED).ask("GET", "/health")

    records = {f"region#{EAST_1}", f"region#{EAST_2}", "control#writer"}
    assert asked == {
        (EAST_1, "BatchGetItem"): records | {f"confirmed#{EAST_1}"},
        (EAST_1, "PutItem"): {f"confirmed#{EAST_1}"},
        (EAST_2, "BatchGetItem"): records,
    }
