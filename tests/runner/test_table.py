"""The table of resource types, compared with Pulumi's SDK and botocore's service models."""

import pytest

from localaws.provider import calls as provider_calls
from localaws.provider.execute import consumes
from localaws.provider.resources import TABLE
from localaws.provider.table import Call, Entry
from tests.runner import sdk

pytestmark = pytest.mark.parametrize(("type_", "entry"), TABLE.items(), ids=TABLE.keys())


def test_every_argument_an_entry_names_is_one_of_the_type(type_: str, entry: Entry) -> None:
    named = {path.partition(".")[0] for step in (entry.create, *entry.puts, *entry.update) for path in consumes(step)}
    named |= {*entry.provider_only, *entry.defaults}
    if entry.autoname:
        named.add(entry.autoname.argument)

    assert named <= sdk.describe(type_).arguments


def test_every_output_of_the_type_is_answered_or_excused(type_: str, entry: Entry) -> None:
    described = sdk.describe(type_)
    given = {*entry.outputs, *entry.unanswered, "tagsAll", "region"}

    assert described.outputs - given == set(), "a program that uses these would get nothing"
    assert set(entry.outputs) <= described.outputs | described.arguments
    assert described.secret - described.arguments <= {*entry.secret_outputs}


def test_tags_travel_for_exactly_the_types_that_have_them(type_: str, entry: Entry) -> None:
    assert (entry.tags is not None) == ("tagsAll" in sdk.describe(type_).outputs)


def test_every_operation_exists(type_: str, entry: Entry) -> None:
    steps = [entry.create, *entry.puts, *entry.update, *entry.delete, *([entry.read] if entry.read else [])]
    calls = [step for step in steps if isinstance(step, Call)]

    assert all(provider_calls.operation(call.service or entry.service, call.operation) for call in calls), type_


def test_what_only_the_provider_uses_has_its_reason(type_: str, entry: Entry) -> None:
    reasons = [*entry.provider_only.values(), *entry.unanswered.values()]

    assert all(len(reason.split()) >= 4 for reason in reasons), type_
