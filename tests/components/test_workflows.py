"""The failover and the failback as data: what holds for every state, read from the JSON."""

import json
from collections.abc import Iterator
from typing import Any

import jsonata  # type: ignore[import-untyped]
import pytest

from components.failover.failover import failback_definition, failover_definition

RECOVERY = "arn:aws:lambda:us-east-2:000000000000:function:function-recovery-secondary-dev"
LEDGER = "arn:aws:lambda:us-east-2:000000000000:function:function-ledger-secondary-dev"
ENDS = {"Succeed", "Fail"}
OPTIONAL = {"PublishParameter", "Measure", "NotifySuccess"}
"""Tasks that fail no run: by then the recovery has been proven."""
LOSSLESS = {"TrySwitchover", "DescribeSwitchover"}
"""Tasks after which the database is promoted if they fail."""


def failover(*, needs_approval: bool = False) -> str:
    return failover_definition(RECOVERY, LEDGER, needs_approval=needs_approval)


DEFINITIONS = {
    "failover": failover(),
    "failover that asks": failover(needs_approval=True),
    "failback": failback_definition(RECOVERY),
}


@pytest.fixture(params=DEFINITIONS)
def definition(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DEFINITIONS[request.param])
    return found


def tasks(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: state for name, state in definition["States"].items() if state["Type"] == "Task"}


def following(state: dict[str, Any]) -> Iterator[str]:
    if "Next" in state:
        yield state["Next"]
    if "Default" in state:
        yield state["Default"]
    for each in [*state.get("Choices", []), *state.get("Catch", [])]:
        yield each["Next"]


def texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)


def test_every_state_is_reached_and_leads_to_one_that_there_is(definition: dict[str, Any]) -> None:
    states = definition["States"]
    reached, open_ends = set(), [definition["StartAt"]]
    while open_ends:
        name = open_ends.pop()
        if name not in reached:
            reached.add(name)
            open_ends += following(states[name])

    assert reached == set(states)


def test_from_every_state_an_end_can_be_reached(definition: dict[str, Any]) -> None:
    states = definition["States"]
    ending = {name for name, state in states.items() if state["Type"] in ENDS}
    while more := {name for name, state in states.items() if name not in ending and ending & set(following(state))}:
        ending |= more

    assert ending == set(states)


def test_every_task_has_a_timeout_retries_and_notifies_of_its_failure(definition: dict[str, Any]) -> None:
    assert tasks(definition)
    for name, state in tasks(definition).items():
        assert 0 < state["TimeoutSeconds"] <= definition["TimeoutSeconds"], name
        assert any(each["MaxAttempts"] > 0 for each in state["Retry"]), name
        (caught,) = state["Catch"]
        assert caught["ErrorEquals"] == ["States.ALL"], name
        if name in OPTIONAL:
            assert caught["Next"] == state["Next"], "the run goes on as if it had succeeded"
        elif name in LOSSLESS:
            assert caught["Next"] == "Promote"
        else:
            assert caught["Next"] == ("Failed" if name == "NotifyFailure" else "NotifyFailure"), name


def test_nothing_optional_stands_before_the_replay_and_the_proof(definition: dict[str, Any]) -> None:
    states = definition["States"]

    def before(name: str) -> set[str]:
        """The states from which `name` can be reached."""
        found = {name}
        while more := {each for each, state in states.items() if each not in found and found & set(following(state))}:
            found |= more
        return found - {name}

    assert set(states) >= OPTIONAL
    for needed in ("Publish", "Replay", "VerifyPayment"):
        assert not before(needed) & OPTIONAL
    assert before("ContinueReplay") & OPTIONAL == {"PublishParameter"}
    assert sum(each["MaxAttempts"] for each in states["PublishParameter"]["Retry"]) == 1
    assert states["PublishParameter"]["TimeoutSeconds"] <= 30


def test_what_another_try_cannot_change_is_not_tried_again(definition: dict[str, Any]) -> None:
    for name in ("CheckPreconditions", "Publish", "DescribeWriter"):
        final, *_ = definition["States"][name]["Retry"]
        assert final["MaxAttempts"] == 0
        assert {"EpochConflict", "WriterTimeout"} <= set(final["ErrorEquals"])


def test_nothing_is_called_but_functions_of_the_own_region(definition: dict[str, Any]) -> None:
    for state in tasks(definition).values():
        assert state["Resource"].removesuffix(".waitForTaskToken") == "arn:aws:states:::lambda:invoke"
        assert state["Arguments"]["FunctionName"] in (RECOVERY, LEDGER)
    assert not {word for text in texts(definition) for word in ("route53", "globalaccelerator") if word in text.lower()}


def test_every_expression_can_be_read(definition: dict[str, Any]) -> None:
    expressions = [text for text in texts(definition) if text.startswith("{%")]
    assert len(expressions) > 20
    for each in expressions:
        assert each.endswith("%}")
        jsonata.Jsonata(each.removeprefix("{%").removesuffix("%}").strip())


def test_the_lost_region_is_fenced_before_the_writer_moves_and_the_writer_is_named_after_it_is_there() -> None:
    states = json.loads(DEFINITIONS["failover"])["States"]

    assert states["CheckPreconditions"]["Next"] == "CanProceed"
    assert states["CanProceed"]["Choices"][0]["Next"] == "OwnRegionFenced"
    assert states["CanProceed"]["Default"] == "Skipped"
    assert states["OwnRegionFenced"]["Choices"][0]["Next"] == "OverrideFence"
    assert states["OwnRegionFenced"]["Default"] == states["OverrideFence"]["Next"] == "Fence"
    assert states["Fence"]["Next"] == "ChooseWriterChange"
    assert states["ChooseWriterChange"]["Default"] == "TrySwitchover"
    assert {states[method]["Next"] for method in ("Promote", "Switch")} == {"DescribeWriter"}
    assert states["WriterReady"]["Choices"][0]["Next"] == "Publish"
    assert states["Publish"]["Next"] == "Replay"


def evaluated(state: dict[str, Any], document: dict[str, Any]) -> str:
    """The next state of a Choice with this document."""
    for each in state["Choices"]:
        condition = each["Condition"].removeprefix("{%").removesuffix("%}").replace("$states.input.", "").strip()
        if jsonata.Jsonata(condition).evaluate(document):
            return str(each["Next"])
    return str(state["Default"])


@pytest.mark.parametrize(
    ("state", "document", "following"),
    [
        ("SwitchoverStarted", {"change": {"state": "not-possible", "method": "none"}}, "Promote"),
        ("SwitchoverStarted", {"change": {"state": "started", "method": "switchover"}}, "DescribeSwitchover"),
        ("SwitchoverStarted", {"change": {"state": "in-progress", "method": "switchover"}}, "DescribeSwitchover"),
        ("SwitchoverStarted", {"change": {"state": "in-progress", "method": "promotion"}}, "DescribeWriter"),
        ("SwitchoverStarted", {"change": {"state": "already-writer", "method": "none"}}, "DescribeWriter"),
        ("SwitchoverEnded", {"switchover": {"state": "done"}}, "DescribeWriter"),
        ("SwitchoverEnded", {"switchover": {"state": "given-up"}}, "Promote"),
        ("SwitchoverEnded", {"switchover": {"state": "in-progress"}}, "WaitForSwitchover"),
        ("ChooseWriterChange", {"preconditions": {"mode": "unplanned"}}, "TrySwitchover"),
        ("ChooseWriterChange", {"preconditions": {"mode": "planned"}}, "Switch"),
    ],
)
def test_the_database_is_promoted_only_if_it_cannot_be_switched_over(
    state: str, document: dict[str, Any], following: str
) -> None:
    assert evaluated(json.loads(DEFINITIONS["failover"])["States"][state], document) == following


@pytest.mark.parametrize(
    ("method", "lost", "after"), [("switchover", None, True), ("promotion", "r", False), ("none", "r", False)]
)
def test_a_lost_region_is_waited_for_unless_the_database_was_switched_over(
    method: str, lost: str | None, after: bool
) -> None:
    """After a switchover the old member accepts no statement any more (decision 0006)."""
    states = json.loads(DEFINITIONS["failover"])["States"]
    document = {"change": {"method": method}, "preconditions": {"region": "r"}}

    def value(state: str, field: str) -> Any:
        text = states[state]["Arguments"]["Payload"][field].removeprefix("{%").removesuffix("%}")
        return jsonata.Jsonata(text.replace("$states.input.", "").strip()).evaluate(document)

    assert value("DescribeWriter", "lost") == lost
    assert value("Promote", "after_switchover") is after


def test_the_fence_falls_last_in_a_failback_and_nothing_is_lost() -> None:
    states = json.loads(DEFINITIONS["failback"])["States"]

    assert "Promote" not in states, "a failback never allows data loss"
    assert states["Preflight"]["Next"] == "Switch"
    assert states["Publish"]["Next"] == "Unfence"


def test_an_approval_is_requested_only_by_the_setting() -> None:
    silent, asking = json.loads(DEFINITIONS["failover"]), json.loads(DEFINITIONS["failover that asks"])

    assert "WaitForApproval" not in silent["States"]
    assert asking["States"]["Fence"]["Next"] == "ApprovalRequired"
    assert asking["States"]["ApprovalRequired"]["Default"] == "WaitForApproval"
    assert asking["States"]["WaitForApproval"]["Next"] == "ChooseWriterChange"
    assert asking["States"]["WaitForApproval"]["Resource"].endswith(".waitForTaskToken")
    assert asking["TimeoutSeconds"] > asking["States"]["WaitForApproval"]["TimeoutSeconds"]


def test_the_same_settings_give_the_same_text() -> None:
    assert failover() == DEFINITIONS["failover"]
