"""Reserved concurrency by the account's limit."""

import pytest

from shared.concurrency import LEAST_LIMIT, UNRESERVED, reservations, reserves


@pytest.mark.parametrize("limit", [LEAST_LIMIT, 400, 1000, 3000, 100_000])
def test_reservations_leave_what_lambda_keeps_unreserved_and_most_to_the_workload(limit: int) -> None:
    reserved = reservations(limit)

    assert limit - sum(reserved.values()) == UNRESERVED
    assert reserved["payments"] >= max(each for name, each in reserved.items() if name != "payments")
    assert min(reserved.values()) > 0, "zero would stop the function"


@pytest.mark.parametrize("limit", [10, 100, LEAST_LIMIT - 1])
def test_a_small_account_reserves_nothing(limit: int) -> None:
    assert not reserves(limit)
    assert reservations(limit) == {}


def test_what_a_failover_needs_has_a_floor_of_its_own_at_the_default_limit() -> None:
    assert reservations(1000) == {
        "payments": 753,
        "health": 20,
        "sentinel": 3,
        "recovery": 10,
        "region-switch-fence": 2,
        "region-switch-prove": 2,
        "announcer": 10,
        "ledger": 100,
    }
