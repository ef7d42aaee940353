"""The function's environment variables."""

import pytest
from payments.settings import DurabilityRule, Settings

from common.environment import EnvironmentProblem
from tests.functions.harness import EAST_1, variables


def test_what_is_not_set_has_a_default() -> None:
    settings = Settings.read({name: it for name, it in variables(EAST_1).items() if name != "PEER_TIMEOUT_MS"})

    assert settings.region == EAST_1
    assert settings.durability is DurabilityRule.ONE_REGION
    assert (settings.local_timeout_ms, settings.peer_timeout_ms) == (1000, 500)


@pytest.mark.parametrize(
    "name",
    [
        "AWS_REGION",
        "PLACE",
        "PEER_REGION",
        "JOURNAL_TABLE",
        "JOURNAL_ARBITER_REGION",
        "SERVICE_VERSION",
        "METRICS_NAMESPACE",
        "CLIENT_KEY_HASHES",
    ],
)
def test_a_missing_variable_is_named(name: str) -> None:
    given = variables(EAST_1)
    del given[name]

    with pytest.raises(EnvironmentProblem, match=rf"\b{name}: .*not set"):
        Settings.read(given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLACE", "writer"),
        ("PEER_REGION", EAST_1),
        ("JOURNAL_ARBITER_REGION", "eu-west-1"),
        ("JOURNAL_TABLE", ""),
        ("DURABILITY", "none"),
        ("PEER_TIMEOUT_MS", "soon"),
        ("LOCAL_TIMEOUT_MS", "0"),
        ("PEER_FAILURES_TO_OPEN", "0"),
        ("PEER_TRIAL_SECONDS", "nan"),
        ("PEER_LONGEST_TRIAL_SECONDS", "0"),
    ],
)
def test_a_wrong_variable_is_named_with_its_value(name: str, value: str) -> None:
    with pytest.raises(EnvironmentProblem) as problem:
        Settings.read(variables(EAST_1, **{name: value}))

    assert f"{name}: " in str(problem.value)
    assert repr(value) in str(problem.value)


@pytest.mark.parametrize("text", ["", "K3y", '["K3y"]', '{"shop": "K3y"}', '{"shop": 3}', f'{{"shop": "{"A" * 64}"}}'])
def test_what_is_no_hash_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(EnvironmentProblem, match=r"CLIENT_KEY_HASHES: .*must be a JSON object of client to") as problem:
        Settings.read(variables(EAST_1, CLIENT_KEY_HASHES=text))

    assert "(it is" not in str(problem.value)


def test_every_wrong_variable_is_named_at_once() -> None:
    with pytest.raises(EnvironmentProblem, match=r"PLACE: .*PEER_TIMEOUT_MS: "):
        Settings.read(variables(EAST_1, PLACE="here", PEER_TIMEOUT_MS="soon"))
