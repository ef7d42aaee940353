"""For any events in two regions, in any order: never two writers, no payment lost, none posted twice."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from common.control.rules import View
from tests.functions.common.control import model
from tests.functions.common.control.model import Weather, World
from tests.functions.common.control.model_runs import STEPS, WEATHERS, Steps, nothing_is_lost


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(weather=WEATHERS, steps=STEPS)
def test_no_order_of_events_makes_two_writers_or_loses_a_payment(weather: Weather, steps: Steps) -> None:
    nothing_is_lost(weather, steps)


@pytest.mark.nightly
@settings(max_examples=20_000, suppress_health_check=[HealthCheck.too_slow])
@given(weather=WEATHERS, steps=STEPS)
def test_none_of_thousands_of_orders_does(weather: Weather, steps: Steps) -> None:
    nothing_is_lost(weather, steps)


def trusts_the_witness_alone(patch: pytest.MonkeyPatch) -> None:
    """As until 2026-11-30: whether health checkers call does not count."""
    patch.setattr(View, "is_checked", True)
    patch.setattr(View, "last_check", property(lambda view: view.at))


def claims_without_waiting(patch: pytest.MonkeyPatch) -> None:
    """A region that takes over does not wait until the lease of the other one is over."""
    patch.setattr(model, "may_claim_writer", lambda **_: True)


def records_nothing(patch: pytest.MonkeyPatch) -> None:
    """Payments that no ledger posted and no backlog has."""
    patch.setattr(World, "_record", lambda *_: None)


def empties_the_own_backlog_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(World, "_is_durable", lambda *_: True)


FAULTS = [trusts_the_witness_alone, claims_without_waiting, records_nothing, empties_the_own_backlog_at_once]
WORLDS = 20_000


@pytest.mark.nightly
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    worlds = 0

    @settings(max_examples=WORLDS, database=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
    @given(weather=WEATHERS, steps=STEPS)
    def explore(weather: Weather, steps: Steps) -> None:
        nonlocal worlds
        worlds += 1
        nothing_is_lost(weather, steps)

    with pytest.raises(AssertionError) as found:
        explore()

    print(f"{fault.__name__}: found in world {worlds}: {found.value}")
