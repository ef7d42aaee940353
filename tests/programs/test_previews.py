"""First previews: nothing is deployed, and no program fails on a value that only AWS can give."""

import pytest
from pulumi.runtime.rpc import UNKNOWN

from localaws.engine.registration import Registration
from tests.programs.previewed import answered, previewed
from tests.programs.profiles import ENVIRONMENTS, registered


@pytest.mark.parametrize("references", [True, False], ids=["regions deployed", "regions unknown"])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_preview_with_every_output_unknown_shows_every_resource(environment: str, references: bool) -> None:
    shown = {row["urn"] for row in previewed(environment, references=references)}

    assert shown == {row["urn"] for row in registered(environment)}


def test_what_aws_decides_inside_a_list_of_inputs_is_unknown() -> None:
    found = answered(_table(replicas=[{"regionName": "us-east-2"}]))

    assert found["replicas"][0]["regionName"] == "us-east-2"
    assert found["replicas"][0]["streamArn"] == UNKNOWN


def test_a_first_preview_knows_the_inputs_alone() -> None:
    found = answered(_table(name="journal", tags={"Name": "journal"}))

    assert (found["name"], found["tags"], found["arn"], found["streamArn"]) == (
        "journal",
        {"Name": "journal"},
        UNKNOWN,
        UNKNOWN,
    )


def _table(**inputs: object) -> Registration:
    return Registration(
        stack="global",
        urn="urn:pulumi:test::dr-global::aws:dynamodb/table:Table::table",
        type="aws:dynamodb/table:Table",
        name="table",
        parent="",
        provider="",
        custom=True,
        inputs=inputs,
        dependencies=(),
        options={},
    )
