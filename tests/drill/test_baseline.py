"""Restoring the baseline of an environment that a failover changed while a drill was interrupted."""

import asyncio
from typing import Any

import pytest

from drill.engine import cleanup
from drill.engine.cleanup import restore_baseline
from drill.model.errors import ActionError
from shared.deployment import Deployment
from shared.places import Place
from tests.drill import healthy
from tests.drill.answers import Answer, Answers, Reported, deployment

FENCED = healthy.record(state="fenced", epoch="3")
ACTIVE = healthy.record(state="active", epoch="4")
STARTED = {"executionArn": "any", "startDate": healthy.now()}
RUNNING = {
    "executions": [
        {
            "executionArn": "any",
            "stateMachineArn": "any",
            "name": "f1",
            "status": "RUNNING",
            "startDate": healthy.now(),
        }
    ]
}


@pytest.fixture
def found() -> Deployment:
    arns = {
        place: {"compute.failover_arn": f"arn:failover-{place}", "compute.failback_arn": f"arn:failback-{place}"}
        for place in Place
    }
    return deployment(**{place.value: values for place, values in arns.items()})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "_POLL_SECONDS", 0.001)
    monkeypatch.setattr(cleanup, "_SETTLES_AWS_SECONDS", 0.01)


def started(answers: Answers) -> list[str]:
    """The regions in which a failback was started."""
    return [region for operation, region in answers.asked if operation == "StartExecution"]


def come(found: Deployment) -> list[str]:
    return asyncio.run(restore_baseline(found, settles_aws_seconds=0.01))


def test_a_fenced_region_is_failed_back_to_by_the_other_one(found: Deployment) -> None:
    answers = Answers(found, {"ListExecutions": {"executions": []}, "GetItem": {}, "StartExecution": STARTED})

    def both_records() -> Reported:
        """The two replicas are asked for the primary's record first, then for the secondary's."""
        position = sum(operation == "GetItem" for operation, _ in answers.asked) % 4
        primarys = position in (1, 2)
        return (ACTIVE if started(answers) else FENCED) if primarys else {}

    answers.set("GetItem", both_records)

    [printed] = come(found)

    assert printed.startswith("failed back to the primary region by drill-cleanup-")
    assert started(answers) == ["eu-central-1"]


def test_an_environment_at_its_baseline_is_left_alone(found: Deployment) -> None:
    answers = Answers(found, {"ListExecutions": {"executions": []}, "GetItem": {}})

    assert come(found) == []
    assert started(answers) == []


def test_what_is_under_way_is_waited_for(found: Deployment) -> None:
    answers = Answers(found, {"GetItem": {}})

    def executions() -> Reported:
        return RUNNING if len(answers.asked) < 10 else {"executions": []}

    answers.set("ListExecutions", executions)

    assert come(found) == []
    assert len(answers.asked) > 10


@pytest.mark.parametrize(
    ("changes", "printed"),
    [
        ({"GetItem": FENCED}, "still fenced after 3 failbacks"),
        ({"GetItem": FENCED, "StartExecution": "StateMachineDoesNotExist"}, "could not be started"),
        ({"ListExecutions": RUNNING}, "does not end; see it"),
        ({"ListExecutions": "AccessDeniedException"}, "the baseline cannot be restored"),
    ],
)
def test_the_obstacle_to_the_baseline_is_reported(
    found: Deployment, changes: dict[str, Any], printed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual: dict[str, Answer] = {"ListExecutions": {"executions": []}, "GetItem": {}, "StartExecution": STARTED}
    Answers(found, usual | changes)

    for place in Place:
        found.client("stepfunctions", place)  # made before the clock runs
    monkeypatch.setattr(cleanup, "_ENDS_AWS_SECONDS", 1.0)

    with pytest.raises(ActionError, match=printed):
        come(found)
