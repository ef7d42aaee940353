"""The circuit breaker: it spares a caller the wait, and never for long."""

import random

from hypothesis import given
from hypothesis import strategies as st

from common.circuit_breaker import Breaker

OPENS_AFTER, TRIAL_SECONDS = 3, 2.0


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def opened() -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(failures_to_open=OPENS_AFTER, trial_seconds=TRIAL_SECONDS, clock=clock)
    for _ in range(OPENS_AFTER):
        assert breaker.permits()
        breaker.failed()
    return breaker, clock


def test_it_stays_closed_while_failures_are_not_in_a_row() -> None:
    breaker = Breaker(failures_to_open=OPENS_AFTER, trial_seconds=TRIAL_SECONDS, clock=Clock())
    for _ in range(10):
        for report in (breaker.failed, breaker.failed, breaker.succeeded):
            assert breaker.permits()
            report()


def test_open_it_lets_one_trial_through_at_a_time() -> None:
    breaker, clock = opened()
    assert not breaker.permits()

    clock.now += TRIAL_SECONDS

    assert breaker.permits()
    assert not breaker.permits(), "a second call went out before the trial came back"


def test_a_trial_that_fails_keeps_it_open_and_one_that_succeeds_closes_it() -> None:
    breaker, clock = opened()
    clock.now += TRIAL_SECONDS
    assert breaker.permits()
    breaker.failed()
    assert not breaker.permits()

    clock.now += TRIAL_SECONDS
    assert breaker.permits()
    breaker.succeeded()

    assert breaker.permits()
    assert breaker.permits()


def test_a_trial_that_is_never_reported_is_followed_by_another() -> None:
    breaker, clock = opened()
    clock.now += TRIAL_SECONDS
    assert breaker.permits()

    clock.now += TRIAL_SECONDS

    assert breaker.permits()


def test_a_clock_set_back_does_not_keep_it_open() -> None:
    breaker, clock = opened()
    clock.now -= 3600

    assert breaker.permits()


def test_the_pause_grows_with_each_failed_trial_and_starts_again_after_a_success() -> None:
    clock = Clock()
    breaker = Breaker(
        failures_to_open=1, trial_seconds=2.0, longest_trial_seconds=30.0, clock=clock, jitter=lambda: 0.0
    )

    def pause() -> float:
        """Seconds until a trial, which then fails."""
        began = clock.now
        while not breaker.permits():
            clock.now += 0.5
        breaker.failed()
        return clock.now - began

    assert [pause() for _ in range(7)] == [0.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    breaker.succeeded()
    assert [pause() for _ in range(2)] == [0.0, 2.0]


def test_sandboxes_do_not_try_at_the_same_moments() -> None:
    clock = Clock()
    dice = random.Random(1)
    pauses = set()
    for _ in range(20):
        clock.now = 1000.0
        breaker = Breaker(
            failures_to_open=1, trial_seconds=2.0, longest_trial_seconds=30.0, clock=clock, jitter=dice.random
        )
        breaker.failed()
        while not breaker.permits():
            clock.now += 0.01
        pauses.add(round(clock.now - 1000.0, 2))

    assert len(pauses) > 10
    assert all(1.0 <= each <= 2.01 for each in pauses)


def test_of_many_sandboxes_with_a_silent_peer_few_wait_for_it() -> None:
    """100 requests a second in turn on 50 sandboxes, for 10 minutes; a pause that does not grow makes one in four wait
    (docs/architecture.md)."""
    clock = Clock()
    dice = random.Random(1)
    breakers = [
        Breaker(failures_to_open=3, trial_seconds=2.0, longest_trial_seconds=30.0, clock=clock, jitter=dice.random)
        for _ in range(50)
    ]
    waited = []
    for number in range(600 * 100):
        clock.now += 0.01
        breaker = breakers[number % len(breakers)]
        waited.append(breaker.permits())
        if waited[-1]:
            breaker.failed()

    assert sum(waited[60 * 100 :]) / len(waited[60 * 100 :]) < 0.04


@given(
    waits=st.lists(st.floats(min_value=0.001, max_value=1.0), min_size=1, max_size=200),
    heals_after=st.floats(min_value=0, max_value=60),
)
def test_a_dead_peer_is_asked_seldom_and_a_healed_one_soon(waits: list[float], heals_after: float) -> None:
    clock = Clock()
    breaker = Breaker(failures_to_open=OPENS_AFTER, trial_seconds=TRIAL_SECONDS, clock=clock)
    start = clock.now
    healed_at, asked_while_dead, unasked_since = start + heals_after, 0, None
    for wait in waits:
        clock.now += wait
        dead = clock.now < healed_at
        if breaker.permits():
            asked_while_dead += dead
            (breaker.failed if dead else breaker.succeeded)()
            unasked_since = None
        elif not dead:
            unasked_since = unasked_since or clock.now
            assert clock.now - max(healed_at, unasked_since) < TRIAL_SECONDS

    seconds_dead = min(clock.now, healed_at) - start
    assert asked_while_dead <= OPENS_AFTER + seconds_dead / TRIAL_SECONDS
