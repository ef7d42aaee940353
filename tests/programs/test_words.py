"""No retired word in what AWS and `pulumi preview` show: names, inputs and descriptions of registered resources."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from policy.catalogue import RULES
from tests.docs.words import RETIRED, normalized
from tests.programs.profiles import ENVIRONMENTS, registered


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
def test_no_registered_resource_has_a_retired_word(environment: str) -> None:
    found = {
        f"{row['stack']} {row['name']}: {text[:100]}"
        for row in registered(environment)
        for text in [str(row["name"]), *texts(row["inputs"])]
        if RETIRED.search(normalized(text))
    }

    assert not found


def test_no_policy_has_a_retired_word_in_its_name_and_all_are_slugs() -> None:
    assert [rule.name for rule in RULES if RETIRED.search(normalized(rule.name))] == []
    assert [rule.name for rule in RULES if not re.fullmatch(r"[a-z][a-z0-9-]+", rule.name)] == []
