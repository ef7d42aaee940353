"""Requests of the audit."""

from typing import Any

import pytest
from ledger.audit import MOST_IDS, AuditRequest, AuditRequestError


@pytest.mark.parametrize(
    "wrong",
    [
        {"ids": -1},
        {"ids": 1001},
        {"ids": True},
        {"ids": "many"},
        {"sample": 0},
        {"sample": 1001},
        {"seconds": 0},
        {"seconds": "soon"},
        {"continuation": {}},
        {"continuation": "again"},
        {"continuation": {"segments": 3, "positions": {"9": None}, "counts": {}}},
        {"continuation": {"segments": 3, "positions": {}, "counts": {"other": 1}}},
    ],
)
def test_an_invalid_request_is_rejected_with_its_reason(wrong: dict[str, Any]) -> None:
    with pytest.raises(AuditRequestError, match="must be"):
        AuditRequest.parse({"operation": "audit", **wrong}, segments=3)


def test_a_request_without_options_begins_in_every_segment_and_in_the_ledgers_table() -> None:
    request = AuditRequest.parse({"operation": "audit", "continuation": None}, segments=2)

    assert (request.positions, request.ids, request.sample) == ({"0": None, "1": None, "rows": None}, MOST_IDS, None)


def test_a_continuation_of_another_number_of_segments_is_rejected() -> None:
    with pytest.raises(AuditRequestError, match="has changed; start the audit from the beginning"):
        AuditRequest.parse({"continuation": {"segments": 8, "positions": {}, "counts": {}}}, segments=3)
