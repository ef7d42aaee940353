"""`dr audit` against a ledger function whose results the test gives; its requests are parsed by the real function."""

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from ops import audit
from ops.environment.search import Environment
from shared.aws_sessions import Sessions
from shared.naming import Names
from shared.places import Place
from tests.local.embedded import EAST_1, EAST_2
from tests.ops.conftest import Ops

ROOT = Path(__file__).resolve().parents[2]
NAMES = Names("dev")
KINDS = {"not-in-ledger": "not_in_ledger", "not-in-journal": "not_in_journal", "differs": "differing"}
SEGMENTS = 4

Answer = dict[str, Any] | Callable[[], None]


def part(*found: tuple[str, str], done: bool = True, compared: int = 1000, pending: int = 0) -> dict[str, Any]:
    """A result of the function, whose counts are those of its own findings."""
    counts = {name: sum(KINDS[kind] == name for _, kind in found) for name in KINDS.values()}
    counts |= {"entries": compared, "rows": compared, "pending": pending}
    rest = {"segments": SEGMENTS, "positions": {"0": "payment#x"}, "counts": counts}
    return {
        **counts,
        "findings": [{"payment_id": payment_id, "kind": kind} for payment_id, kind in found],
        "done": done,
        "continuation": None if done else rest,
    }


def silent() -> None:
    raise ReadTimeoutError(endpoint_url="https://lambda")


@dataclass
class Ledger(Sessions):
    """The function in us-east-2, where the writer is."""

    answers: list[Answer] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def client(self, service: str, region: str, **_: Any) -> Any:
        assert (service, region) == ("lambda", EAST_2)
        meta = SimpleNamespace(region_name=region)
        return SimpleNamespace(
            invoke=self._invoke, meta=meta, exceptions=SimpleNamespace(ResourceNotFoundException=LookupError)
        )

    def _invoke(self, *, FunctionName: str, Payload: str) -> dict[str, Any]:
        from ledger.audit import AuditRequest

        assert FunctionName == NAMES.regional("function-ledger", Place.SECONDARY)
        event = json.loads(Payload)
        assert event["operation"] == "audit"
        AuditRequest.parse(event, segments=SEGMENTS)
        self.requests.append(event)
        answer = self.answers.pop(0)
        if callable(answer):
            answer()
            raise AssertionError("the answer did not raise")
        failed = {"FunctionError": "Unhandled"} if "errorType" in answer else {}
        return {**failed, "Payload": io.BytesIO(json.dumps(answer).encode())}


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    monkeypatch.setattr(sys, "path", [str(ROOT / "functions"), *sys.path])
    made = Ledger()
    regions = {Place.PRIMARY: EAST_1, Place.SECONDARY: EAST_2}
    target = Environment(name="dev", names=NAMES, regions=regions, account="123456789012", sessions=made)
    monkeypatch.setattr(audit, "environment", lambda *_, **__: target)
    monkeypatch.setattr(audit, "writer_place", lambda _: Place.SECONDARY)
    monkeypatch.setattr(audit, "_PAUSE", 0.0)
    return made


def test_a_journal_and_a_ledger_that_agree_end_with_0(ledger: Ledger, ops: Ops) -> None:
    ledger.answers = [part(done=False), part(compared=1_234_567, pending=3)]

    answer = ops("audit")

    assert answer.exit_code == 0, answer.output
    assert (
        "1,234,567 entries of the journal and 1,234,567 rows of the ledger compared; findings: 0; pending: 3"
        in answer.stdout
    )
    assert [request["continuation"] is None for request in ledger.requests] == [True, False]


def test_every_finding_is_printed_by_id_and_kind_and_ends_with_1(ledger: Ledger, ops: Ops) -> None:
    ledger.answers = [part(("order-2", "not-in-ledger"), ("order-1", "differs"), ("order-3", "not-in-journal"))]

    answer = ops("audit")

    assert answer.exit_code == 1, answer.output
    rows = [line.split(maxsplit=1) for line in answer.stdout.splitlines() if line.startswith("order-")]
    assert [(payment, text.rstrip()) for payment, text in rows] == [
        ("order-1", "differs: the contents differ"),
        ("order-3", "not-in-journal: in the ledger, but not in the journal"),
        ("order-2", "not-in-ledger: in the journal, but not in the ledger"),
    ]
    assert "differ in 3 payments; see docs/runbooks/audit.md" in answer.stderr
    assert (ROOT / "docs/runbooks/audit.md").is_file()


def test_the_limit_shortens_the_table_and_not_the_count(ledger: Ledger, ops: Ops) -> None:
    many = part(*((f"order-{number}", "differs") for number in range(5)), done=False)
    ledger.answers = [many, {**part(), "differing": 9}]

    answer = ops("audit", "--limit", "2")

    assert answer.exit_code == 1
    assert answer.stdout.count("differs:") == 2
    assert "7 more findings; --output FILE writes all of them" in answer.stdout
    assert [request["ids"] for request in ledger.requests] == [2, 0]


def test_the_file_has_all_findings(ledger: Ledger, ops: Ops, tmp_path: Path) -> None:
    first = part(*((f"order-{number:02}", "differs") for number in range(30)), done=False)
    ledger.answers = [first, {**part(("order-30", "not-in-ledger")), "differing": 30}]
    file = tmp_path / "found.json"

    answer = ops("audit", "--output", str(file))

    assert answer.exit_code == 1
    written = json.loads(file.read_text())
    assert (written["environment"], written["region"], written["sample"]) == ("dev", EAST_2, None)
    assert (written["counts"]["differing"], written["counts"]["not_in_ledger"]) == (30, 1)
    assert [finding["payment_id"] for finding in written["findings"]] == [f"order-{number:02}" for number in range(31)]
    assert {request["ids"] for request in ledger.requests} == {1000}
    assert f"all 31 findings: {file}" in answer.stdout


def test_a_sample_is_one_invocation(ledger: Ledger, ops: Ops) -> None:
    ledger.answers = [part(compared=50)]

    answer = ops("audit", "--sample", "50")

    assert answer.exit_code == 0, answer.output
    assert [request["sample"] for request in ledger.requests] == [50]
    assert ops("audit", "--sample", "1001").exit_code == 2


@pytest.mark.parametrize("error", ["DatabaseUnavailable", "JournalUnreadable"])
def test_a_dependency_that_does_not_answer_once_does_not_end_the_audit(ledger: Ledger, ops: Ops, error: str) -> None:
    ledger.answers = [{"errorType": error, "errorMessage": "busy"}, part()]

    assert ops("audit").exit_code == 0
    assert ledger.requests[0] == ledger.requests[1]


def test_a_region_that_does_not_answer_once_does_not_end_the_audit(ledger: Ledger, ops: Ops) -> None:
    ledger.answers = [part(done=False), silent, silent, part()]
    answer = ops("audit")
    assert answer.exit_code == 0, answer.output

    ledger.answers = [silent] * 4
    assert ops("audit").exit_code == 3


def test_an_audit_that_cannot_begin_ends_with_2(ledger: Ledger, ops: Ops) -> None:
    ledger.answers = [{"errorType": "DatabaseUnavailable", "errorMessage": "no writer"}] * 4

    answer = ops("audit")

    assert answer.exit_code == 2
    assert "DatabaseUnavailable no writer" in answer.stderr


def test_an_audit_that_fails_on_the_way_is_incomplete(ledger: Ledger, ops: Ops) -> None:
    ledger.answers = [part(done=False), {"errorType": "Sandbox.Timedout", "errorMessage": "timed out"}]

    answer = ops("audit")

    assert answer.exit_code == 3
    assert "Sandbox.Timedout" in answer.stderr


def test_an_interruption_ends_with_130_and_what_was_compared(ledger: Ledger, ops: Ops) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    ledger.answers = [part(("order-1", "differs"), done=False), interrupt]

    answer = ops("audit")

    assert answer.exit_code == 130
    assert "compared; findings: 1 until the interruption; neither of them was changed" in answer.stderr


def test_a_region_without_the_function_and_a_folder_that_is_missing_are_reported(
    ledger: Ledger, ops: Ops, tmp_path: Path
) -> None:
    def absent() -> None:
        raise LookupError

    ledger.answers = [absent]

    assert "deploy the region first" in ops("audit").stderr
    nowhere = ops("audit", "--output", str(tmp_path / "none" / "found.json"))
    assert (nowhere.exit_code, len(ledger.requests)) == (2, 1)
