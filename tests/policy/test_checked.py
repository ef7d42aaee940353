"""What the provider's `Check` adds to the inputs of a resource, for any type."""

import json
from typing import Any

from localaws.provider.resources import TABLE
from tests.policy.checked import RANDOM, checked
from tests.programs import sdk

PROVIDER = "urn:pulumi:test::dr-primary::pulumi:providers:aws::primary"


def inputs(token: str, name: str, /, **given: Any) -> dict[str, Any]:
    tags = json.dumps({"tags": {"Project": "dr", "Place": "primary"}})
    provider = {"region": "us-east-1", "defaultTags": tags}
    common = {"stack": "primary", "outputs": {}, "options": {}, "provider": ""}
    _, row = checked(
        [
            {**common, "urn": PROVIDER, "type": "pulumi:providers:aws", "name": "primary", "inputs": provider},
            {**common, "urn": "urn:one", "type": token, "name": name, "inputs": given, "provider": PROVIDER},
        ]
    )
    found: dict[str, Any] = row["inputs"]
    return found


def test_what_the_program_leaves_out_is_filled_in() -> None:
    found = inputs("aws:ec2/securityGroup:SecurityGroup", "front", vpcId="vpc-1", tags={"Name": "x", "Place": "y"})

    assert found == {
        "vpcId": "vpc-1",
        "tags": {"Name": "x", "Place": "y"},
        "name": f"front-{RANDOM}",
        "description": "Managed by Pulumi",
        "revokeRulesOnDelete": False,
        "region": "us-east-1",
        "tagsAll": {"Project": "dr", "Place": "y", "Name": "x"},
    }


def test_what_the_program_gives_stays() -> None:
    given = {"name": "queue-one", "region": "us-east-2", "fifoQueue": True}

    assert {key: inputs("aws:sqs/queue:Queue", "one", **given)[key] for key in given} == given


def test_a_global_type_has_no_region_and_one_without_tags_none() -> None:
    found = inputs("aws:iam/rolePolicy:RolePolicy", "one", role="role", policy="{}")

    assert found == {"role": "role", "policy": "{}", "name": f"one-{RANDOM}"}


def test_every_type_with_an_optional_name_gets_one() -> None:
    """In the SDK's classes as in the table of the embedded AWS: a type that one of them lacks would get none."""
    named = {token for token, entry in TABLE.items() if entry.autoname and entry.autoname.argument == "name"}

    assert named
    assert not {token for token in named if "name" not in sdk.inputs(token)}
    assert all(inputs(token, "one")["name"].endswith(RANDOM) for token in named)
