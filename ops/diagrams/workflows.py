"""A state machine as a diagram, from its registered definition."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ops.diagrams.model import Arrow, Box, Column, Diagram, Line
from ops.environment.resource_graph import Rows, of_type
from shared.command_line import CouldNotStart

MACHINE = "aws:sfn/stateMachine:StateMachine"
_KINDS = {"Task": "compute", "Choice": "choice", "Wait": "event", "Succeed": "end", "Fail": "failed"}
_DETAILS = {"Choice": "choice", "Wait": "wait", "Succeed": "ends well", "Fail": "ends badly"}


def machine(rows: Rows, name: str, place: str = "primary") -> Diagram:
    """The state machine whose registered name starts with `name`. Raises CouldNotStart if there is none."""
    found = [
        row for row in of_type(rows, MACHINE) if row["stack"] == place and str(row["name"]).partition("-")[0] == name
    ]
    if not found:
        raise CouldNotStart(f"{place} registers no state machine {name}; change WORKFLOWS in ops/diagrams/command.py")
    definition = json.loads(found[0]["inputs"]["definition"])
    return drawn(name, definition)


def drawn(name: str, definition: Mapping[str, Any]) -> Diagram:
    states: Mapping[str, Any] = definition["States"]
    usual = _usual_catch(states)
    ranks = _ranks(definition["StartAt"], states)
    arrows = [
        Arrow(state, target, line, label)
        for state in sorted(states, key=lambda state: (ranks[state], state))
        for target, line, label in _next(states[state])
        if line is Line.NEXT or target not in (usual, states[state].get("Next"))
    ]
    rows = [[state for state in sorted(states) if ranks[state] == rank] for rank in sorted(set(ranks.values()))]
    return Diagram(
        title=f"Workflow {name}: {definition.get('Comment', '')}".rstrip(": "),
        columns=tuple(Column("", tuple(_box(state, states[state]) for state in row)) for row in rows),
        arrows=tuple(arrows),
        notes=(f"A task that fails, after its own retries, goes to “{_words(usual)}”.",) if usual else (),
        down=True,
    )


def _box(state: str, given: Mapping[str, Any]) -> Box:
    return Box(state, _words(state), _DETAILS.get(given["Type"], ""), _KINDS.get(given["Type"], "plain"))


def _words(state: str) -> str:
    """DescribeWriter: Describe writer."""
    return "".join(f" {letter.lower()}" if letter.isupper() and at else letter for at, letter in enumerate(state))


def _next(given: Mapping[str, Any]) -> list[tuple[str, Line, str]]:
    found = [(given["Next"], Line.NEXT, "")] if "Next" in given else []
    found += [(each["Next"], Line.NEXT, "yes") for each in given.get("Choices", [])]
    found += [(given["Default"], Line.NEXT, "else")] if "Default" in given else []
    return found + [(each["Next"], Line.CONTROL, "fails") for each in given.get("Catch", [])]


def _usual_catch(states: Mapping[str, Any]) -> str:
    """The state that catches most failures; drawing each of these arrows would hide the rest."""
    targets = Counter(each["Next"] for given in states.values() for each in given.get("Catch", []))
    (usual, times), *_ = [*targets.most_common(1), ("", 0)]
    return usual if times > 2 else ""


def _ranks(start: str, states: Mapping[str, Any]) -> dict[str, int]:
    """The row of each state: below all that lead to it, loops aside. States reached by failures only come last."""
    ranks: dict[str, int] = {}

    def walk(state: str, rank: int, above: tuple[str, ...]) -> None:
        if state in above or ranks.get(state, -1) >= rank:
            return
        ranks[state] = rank
        for target, line, _ in _next(states[state]):
            if line is Line.NEXT:
                walk(target, rank + 1, (*above, state))

    walk(start, 0, ())
    last = max(ranks.values())
    apart = sorted(set(states) - set(ranks))
    led_to = {target for state in apart for target, _, _ in _next(states[state])}
    for state in [each for each in apart if each not in led_to] or apart[:1]:
        walk(state, max(last - 1, 0), ())
    return {state: ranks.get(state, last) for state in states}
