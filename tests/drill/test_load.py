"""The load generator as a server and as its own record see it."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drill.load.client import ClientPolicy
from drill.load.generator import LoadGenerator
from drill.load.payments import payments
from drill.model.attempts import Intent, Outcome
from tests.certificates import write_certificate
from tests.drill.payment_server import KEY, SERVICE, Answer, PaymentServer, Reply, accept, payment_server

pytestmark = pytest.mark.stack  # rates and time limits, which a busy machine does not keep

POLICY = ClientPolicy(timeout=0.3, reopen=5.0, first_pause=0.02, longest_pause=0.1, give_up=1.0, most_in_flight=20)


def sent(
    directory: Path,
    answer: Answer = accept,
    *,
    policy: ClientPolicy = POLICY,
    rate: float = 50,
    seconds: float = 0.4,
    pause: float = 0.0,
    retry_after: int | None = None,
) -> tuple[LoadGenerator, PaymentServer]:
    """Send payments for a while and let every client finish."""

    async def run() -> tuple[LoadGenerator, PaymentServer]:
        async with payment_server(directory, answer, pause=pause, retry_after=retry_after) as server:
            load = LoadGenerator(server.target, policy, payments(1), rate=rate, jitter=random.Random(1))
            load.start()
            await asyncio.sleep(seconds)
            await load.stop()
            await load.drain()
            await load.close()
            return load, server

    return asyncio.run(run())


def outcomes(load: LoadGenerator) -> Counter[Outcome]:
    return Counter(attempt.outcome for attempt in load.record.attempts)


def test_every_request_carries_the_clients_key_which_is_not_shown(tmp_path: Path) -> None:
    _, server = sent(tmp_path, seconds=0.2)

    assert server.keys == {KEY}
    assert KEY not in repr(server.target)


def test_payments_are_sent_at_the_requested_rate_and_every_client_gets_a_response(tmp_path: Path) -> None:
    load, server = sent(tmp_path, rate=100, seconds=0.5)

    assert 48 <= len(server.requests) <= 52
    assert len(load.record.acknowledged) == len(server.requests) == len(load.record.intents)
    assert {attempt.region for attempt in load.record.attempts} == {"us-east-1"}
    assert {intent.durability for intent in load.record.intents} == {"both-regions"}


def ramped(directory: Path, answer: Answer, seconds: float) -> tuple[LoadGenerator, list[float]]:
    """A load with a ramp of half a second, and what it offered every 20 ms."""

    async def run() -> tuple[LoadGenerator, list[float]]:
        async with payment_server(directory, answer) as server:
            load = LoadGenerator(server.target, POLICY, payments(1), rate=200, ramp=0.5)
            load.start()
            offered = []
            for _ in range(round(seconds / 0.02)):
                offered.append(load.offered)
                await asyncio.sleep(0.02)
            await load.close()
            return load, offered

    return asyncio.run(run())


def test_the_rate_grows_step_by_step_while_payments_come_back(tmp_path: Path) -> None:
    load, offered = ramped(tmp_path, accept, 3.0)

    assert offered[0] == 25
    assert sorted(offered) == offered, "nothing failed, so the rate never falls"
    assert offered[-1] == 200
    assert load.offered == 0, "nothing is offered once it has stopped"


def test_what_does_not_come_back_is_not_offered_faster(tmp_path: Path) -> None:
    _, offered = ramped(tmp_path, lambda *_: (503, {}), 1.5)

    assert max(offered) <= 50


def test_a_slow_server_does_not_slow_the_clients_down(tmp_path: Path) -> None:
    load, server = sent(tmp_path, rate=50, seconds=0.4, pause=0.2)

    assert 19 <= len(server.requests) <= 22, "arrivals do not wait for answers"
    assert all(attempt.seconds >= 0.2 for attempt in load.record.attempts)


def test_the_server_is_asked_for_by_name_though_it_is_reached_by_address(tmp_path: Path) -> None:
    _, server = sent(tmp_path)

    assert set(server.names) == {SERVICE}
    assert server.hosts == {SERVICE}


def test_a_server_with_a_certificate_of_somebody_else_gets_no_payment(tmp_path: Path) -> None:
    async def run() -> tuple[LoadGenerator, PaymentServer]:
        stranger = tmp_path / "stranger"
        stranger.mkdir()
        async with payment_server(tmp_path) as server:
            target = replace(server.target, ca_file=write_certificate(stranger, SERVICE).certificate)
            load = LoadGenerator(target, replace(POLICY, give_up=0.1), payments(1), rate=20)
            load.start()
            await asyncio.sleep(0.2)
            await load.stop()
            await load.drain()
            await load.close()
            return load, server

    load, server = asyncio.run(run())

    assert server.requests == []
    assert set(outcomes(load)) == {Outcome.UNTRUSTED}
    assert load.record.acknowledged == []
    assert "self-signed certificate" in str(load.record.given_up[0].given_up)


def test_both_regions_are_trusted_though_their_certificates_bear_the_same_name(tmp_path: Path) -> None:
    async def run() -> list[LoadGenerator]:
        folders = [tmp_path / "one", tmp_path / "other"]
        for folder in folders:
            folder.mkdir()
        loads = []
        async with payment_server(folders[0]) as one, payment_server(folders[1]) as other:
            both = tmp_path / "ca.pem"
            authorities = [server.target.ca_file for server in (one, other)]
            both.write_bytes(b"".join(each.read_bytes() for each in authorities if each))
            for server in (one, other):
                load = LoadGenerator(
                    replace(server.target, ca_file=both), replace(POLICY, give_up=0.1), payments(1), rate=20
                )
                load.start()
                await asyncio.sleep(0.1)
                await load.stop()
                await load.drain()
                await load.close()
                loads.append(load)
        return loads

    assert [set(outcomes(load)) for load in asyncio.run(run())] == [{Outcome.OK}, {Outcome.OK}]


def test_a_failed_payment_is_sent_again_as_it_was_until_it_is_acknowledged(tmp_path: Path) -> None:
    def fail_twice(payment: dict[str, Any], number: int) -> Reply:
        return (503, {}) if number <= 2 else accept(payment, number)

    load, server = sent(tmp_path, fail_twice, rate=2)

    assert [request == server.requests[0] for request in server.requests] == [True, True, True]
    [intent] = load.record.intents
    assert intent.attempts == 3
    assert intent.acknowledged is not None
    assert outcomes(load) == {Outcome.ERROR: 2, Outcome.OK: 1}


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ((500, {}), Outcome.ERROR),
        ((429, {}), Outcome.ERROR),
        (None, Outcome.RESET),
        ((201, {"id": "somebody-elses"}), Outcome.WRONG),
        ((201, {}), Outcome.WRONG),
    ],
)
def test_a_client_without_a_response_gives_up_and_is_not_acknowledged(
    tmp_path: Path, reply: Reply, outcome: Outcome
) -> None:
    load, _ = sent(tmp_path, lambda *_: reply, policy=replace(POLICY, give_up=0.2), rate=10, seconds=0.15)

    assert set(outcomes(load)) == {outcome}
    assert load.record.acknowledged == []
    assert len(load.record.given_up) == len(load.record.intents) == 2
    assert all(intent.attempts > 1 for intent in load.record.intents)


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_a_payment_that_is_refused_for_good_is_not_sent_again(tmp_path: Path, status: int) -> None:
    load, server = sent(tmp_path, lambda *_: (status, {}), rate=10, seconds=0.15)

    assert len(server.requests) == len(load.record.intents) == 2
    assert [intent.given_up for intent in load.record.intents] == [f"refused with {status}"] * 2


def test_a_server_that_hangs_costs_a_client_its_timeout_and_no_more(tmp_path: Path) -> None:
    load, _ = sent(tmp_path, policy=replace(POLICY, timeout=0.1, give_up=0.15), rate=20, seconds=0.2, pause=5)

    assert set(outcomes(load)) == {Outcome.TIMEOUT}
    assert all(0.1 <= attempt.seconds < 5 for attempt in load.record.attempts)


def test_arrivals_beyond_the_bound_are_shed_and_counted(tmp_path: Path) -> None:
    load, server = sent(tmp_path, policy=replace(POLICY, most_in_flight=3, timeout=2), rate=50, seconds=0.3, pause=1)

    assert len(server.requests) == 3
    assert 11 <= load.record.shed <= 13
    assert len(load.record.intents) == 3, "what was not sent is no intent"


def test_connections_are_kept_alive_and_still_renewed(tmp_path: Path) -> None:
    _, kept = sent(tmp_path, rate=100, seconds=0.5)
    _, renewed = sent(tmp_path, policy=replace(POLICY, reopen=0.1), rate=100, seconds=0.5)

    assert len(kept.requests) > 4 * kept.connections
    assert renewed.connections >= 12, "each of four sessions lives 0.1 s at most"


def test_an_error_that_the_server_answers_keeps_the_connection(tmp_path: Path) -> None:
    _, server = sent(tmp_path, lambda *_: (503, {}), policy=replace(POLICY, give_up=0.5), rate=20, seconds=0.5)

    assert len(server.requests) > 2 * server.connections


def test_an_impatient_client_opens_a_connection_for_each_of_its_few_attempts(tmp_path: Path) -> None:
    policy = replace(ClientPolicy.impatient(rate=20), first_pause=0.01, longest_pause=0.02)
    load, server = sent(tmp_path, lambda *_: (503, {}), policy=policy, rate=20, seconds=0.3)

    assert server.connections == len(server.requests)
    assert {intent.attempts for intent in load.record.intents} == {6}


def test_a_client_does_not_ask_again_before_retry_after(tmp_path: Path) -> None:
    def busy_at_first(payment: dict[str, Any], number: int) -> Reply:
        return (503, {}) if number == 1 else accept(payment, number)

    load, _ = sent(tmp_path, busy_at_first, policy=replace(POLICY, give_up=5), rate=5, seconds=0.1, retry_after=1)

    first, second = (attempt for attempt in load.record.attempts if attempt.intent == 0)
    assert second.sent - first.ended >= 1.0
    assert (first.is_retry, second.is_retry) == (False, True)


def test_retries_stay_within_the_budget_while_nothing_succeeds(tmp_path: Path) -> None:
    policy = replace(POLICY, first_pause=0.001, longest_pause=0.001, give_up=2.0)
    load, _ = sent(tmp_path, lambda *_: (503, {}), policy=policy, rate=50, seconds=1.0)

    retries = sum(attempt.is_retry for attempt in load.record.attempts)
    assert 50 <= retries <= 50 + 4 * 10, "a second's worth at once, then a fifth of the rate, for three seconds"


def test_a_failed_generator_is_reported_instead_of_leaving_gaps(tmp_path: Path) -> None:
    def none_left() -> Iterator[Intent]:
        yield next(payments(1))
        raise ValueError("no payment left")

    async def run() -> None:
        async with payment_server(tmp_path) as server:
            load = LoadGenerator(server.target, POLICY, none_left(), rate=50)
            load.start()
            await asyncio.sleep(0.05)
            try:
                await load.stop()
            finally:
                await load.close()

    with pytest.raises(ValueError, match="no payment left"):
        asyncio.run(run())
