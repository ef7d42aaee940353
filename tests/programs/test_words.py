"""The words that AWS and `pulumi preview` show: the field's, and none of this project's former private ones."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from policy.catalogue import RULES
from tests.programs.profiles import ENVIRONMENTS, registered

# As whole words, also inside CamelCase and kebab-case. A front door is a common term for a public entry point.
RETIRED = re.compile(
    r"(?<!front-)(?<!front )\bdoors?\b|\b(told|tells?|said|says?|surroundings|owed|anyway|homecoming)\b"
    r"|\bway back\b|\bcomes? home\b|\blook(s|ing)? for\b"
)


def words(text: str) -> str:
    """`LookForWriter`, `look_for_writer` and `look-for-writer` as `look for writer`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return re.sub(r"[_/-]+", " ", spaced.replace("front-door", "frontdoor")).lower()


def texts(value: Any) -> Iterator[str]:
    """Every key and value of a resource's inputs; of documents given as JSON, theirs."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        if value.startswith(("{", "[")):
            try:
                yield from texts(json.loads(value))
                return
            except ValueError:
                pass
        yield value


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nothing_that_aws_shows_has_a_retired_word(environment: str) -> None:
    found = {
        f"{row['stack']} {row['name']}: {text[:100]}"
        for row in registered(environment)
        for text in [str(row["name"]), *texts(row["inputs"])]
        if RETIRED.search(words(text))
    }

    assert not found


def test_no_policy_has_a_retired_word_in_its_name_and_all_are_slugs() -> None:
    assert [rule.name for rule in RULES if RETIRED.search(words(rule.name))] == []
    assert [rule.name for rule in RULES if not re.fullmatch(r"[a-z][a-z0-9-]+", rule.name)] == []


@pytest.mark.parametrize("text", ["DoorsOpen", "TellFailure", "LookForWriter", "/app/dev/local/doors", "the way back"])
def test_a_retired_word_is_found_in_each_spelling(text: str) -> None:
    assert RETIRED.search(words(text))
