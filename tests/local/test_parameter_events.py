"""Parameter Store's change events, as a rule on the default bus sees them."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from localaws.core.environment import ACCOUNT
from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually

Seen = Callable[[], list[dict[str, Any]]]


def listen(aws: LocalAws, region: str, prefix: str, *, pattern: dict[str, Any] | None = None) -> Seen:
    """Everything that a rule for parameters under `prefix`, or with a `pattern` of its own, has received in `region`,
    oldest first."""
    name = f"parameters-{uuid.uuid4().hex[:8]}"
    queue = aws.client("sqs", region).create_queue(QueueName=name)["QueueUrl"]
    pattern = pattern or {
        "source": ["aws.ssm"],
        "detail-type": ["Parameter Store Change"],
        "detail": {"name": [{"prefix": prefix}]},
    }
    events = aws.client("events", region)
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": f"arn:aws:sqs:{region}:{ACCOUNT}:{name}"}])
    published: list[dict[str, Any]] = []

    def read() -> list[dict[str, Any]]:
        found = aws.client("sqs", region).receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        published.extend(json.loads(message["Body"]) for message in found)
        return published

    return read


@pytest.fixture
def prefix() -> str:
    return f"/app/{uuid.uuid4().hex[:8]}/"


def test_every_change_is_published_without_the_value(planes: LocalAws, prefix: str) -> None:
    seen, ssm = listen(planes, EAST_1, prefix), planes.client("ssm")
    name = f"{prefix}flag"

    ssm.put_parameter(Name=name, Value="secret-1", Type="SecureString", Description="a flag")
    assert eventually(lambda: len(seen()) == 1)
    ssm.put_parameter(Name=name, Value="secret-2", Overwrite=True)
    ssm.label_parameter_version(Name=name, Labels=["good"])
    ssm.delete_parameters(Names=[name, f"{prefix}unknown"])

    assert eventually(lambda: len(seen()) == 4), seen()
    operations = [event["detail"]["operation"] for event in seen()]
    assert sorted(operations) == ["Create", "Delete", "LabelParameterVersion", "Update"]
    created = next(event for event in seen() if event["detail"]["operation"] == "Create")
    assert created["detail"] == {"operation": "Create", "name": name, "type": "SecureString", "description": "a flag"}
    assert created["resources"] == [f"arn:aws:ssm:{EAST_1}:{ACCOUNT}:parameter{name}"]
    assert "secret" not in json.dumps(seen())


def test_a_change_is_published_in_its_own_region_only(planes: LocalAws, prefix: str) -> None:
    here, there = listen(planes, EAST_2, prefix), listen(planes, EAST_1, prefix)

    planes.client("ssm", EAST_2).put_parameter(Name=f"{prefix}a", Value="1", Type="String")

    assert eventually(lambda: len(here()) == 1)
    assert here()[0]["region"] == EAST_2
    assert not there()


def test_a_refused_change_is_not_published(planes: LocalAws, prefix: str) -> None:
    seen, ssm = listen(planes, EAST_1, prefix), planes.client("ssm")
    ssm.put_parameter(Name=f"{prefix}a", Value="1", Type="String")

    with pytest.raises(ssm.exceptions.ParameterAlreadyExists):
        ssm.put_parameter(Name=f"{prefix}a", Value="2", Type="String")
    ssm.put_parameter(Name=f"{prefix}b", Value="1", Type="String")

    assert eventually(lambda: len(seen()) == 2)
    assert {event["detail"]["operation"] for event in seen()} == {"Create"}
