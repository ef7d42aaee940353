"""Every resource type, made for real: AWS describes it, a second run changes nothing, and it goes again."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.provider.resources import TABLE
from tests.runner import tags
from tests.runner.cases import Case, Reading, all_cases
from tests.runner.conftest import PREAMBLE, Client, Programs

_GONE = ("NotFound", "NoSuch", "NotExist", "NonExistent", "Nonexistent")


def _seen(reading: Reading, client: Client, exports: dict[str, Any]) -> Any:
    """The resource as AWS returns it; None if it does not exist."""
    try:
        return reading.read(client, exports)
    except ClientError as error:
        if not any(word in error.response["Error"]["Code"] for word in _GONE):
            raise
        return None
    except (IndexError, KeyError, StopIteration):
        return None


def _tags(programs: Programs, client: Client) -> dict[str, dict[str, str]]:
    """The tags of everything that has some, by type and name."""
    records = programs.state.stacks["primary"].resources.values()
    return {f"{record.type} {record.name}": tags.read(client, record) for record in records if TABLE[record.type].tags}


@pytest.mark.parametrize("case", all_cases().values(), ids=all_cases().keys())
def test_aws_has_what_the_program_registered_until_it_is_destroyed(
    case: Case, programs: Programs, client: Client
) -> None:
    programs.write(case.program)

    exports = programs.deploy()
    outputs = exports.outputs["primary"]
    for type_, reading in case.readings.items():
        seen = _seen(reading, client, outputs)
        assert seen, f"{type_} is not there"
        assert {key: seen.get(key) for key in reading.expect} == reading.expect, type_

    tagged = _tags(programs, client)
    assert tagged == {name: {"Application": "dr"} for name in tagged}

    again = programs.deploy()
    assert len(again.changes) == 0, again.changes
    assert again.outputs == exports.outputs

    changed = case.program
    for old, new in case.edits:
        assert old in changed
        changed = changed.replace(old, new)
    programs.write(changed, preamble=PREAMBLE.replace('"Application": "dr"', '"Owner": "me"'))
    urns = programs.deploy().changes.updated
    assert {urn.split("::")[2] for urn in urns} >= case.changed.keys()
    for type_, expect in case.changed.items():
        seen = _seen(case.readings[type_], client, outputs)
        assert {key: seen.get(key) for key in expect} == expect, type_
    tagged = _tags(programs, client)
    assert tagged == {name: {"Owner": "me"} for name in tagged}

    programs.destroy()
    left = [type_ for type_, reading in case.readings.items() if not reading.stays and _seen(reading, client, outputs)]
    assert left == []


def test_every_type_of_the_table_is_tried() -> None:
    tried = {type_ for case in all_cases().values() for type_ in case.readings}

    assert tried == {type_ for type_, entry in TABLE.items() if entry.service and not entry.not_emulated}
