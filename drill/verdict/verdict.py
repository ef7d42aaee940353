"""What a run amounts to: each expectation against what was measured, the verdict, and the exit status."""

import math
from collections.abc import Sequence

from drill.model.objectives import NoTakeOver, Objectives, Planned, TakeOver
from drill.verdict import service, takeover
from drill.verdict.model import CheckReport, Verdict
from drill.verdict.result import Measured, check, objective, timed, unless_starved
from drill.verdict.service import rto

__all__ = ["INCONCLUSIVE", "checks", "exit_status", "rto", "verdict"]

INCONCLUSIVE = 4
"""Exit status of a run that says nothing of the system."""


def checks(objectives: Objectives, measured: Measured) -> list[CheckReport]:
    """In the order of importance; the first one not met names a failed run."""
    take_over = objectives.take_over
    return [
        *_payments(measured),
        *service.lines(objectives, measured),
        *_take_over(take_over, measured),
        *_awaited(measured),
        *_poison(objectives, measured),
        *_second_runs(objectives, measured),
        *_plan(objectives, measured),
        *_way_back(measured),
    ]


def _take_over(expected: TakeOver | NoTakeOver | Planned, measured: Measured) -> list[CheckReport]:
    match expected:
        case NoTakeOver():
            return takeover.none_happened(expected, measured)
        case Planned():
            return takeover.planned_happened(expected, measured)
        case _:
            return takeover.happened(expected, measured)


def _payments(measured: Measured) -> list[CheckReport]:
    verified = measured.verification
    lines = [
        objective(
            "no acknowledged payment is lost",
            "0 lost",
            f"{len(verified.lost)} lost of {verified.acknowledged} acknowledged",
            met=not verified.lost and verified.acknowledged > 0,
        ),
        objective(
            "no payment is made twice",
            "0 duplicated",
            f"{len(verified.duplicated)} duplicated",
            met=not verified.duplicated,
        ),
    ]
    if not verified.compared_ledgers:
        return lines
    posted = ", ".join(f"{count} in {region}" for region, count in verified.in_ledger_by_region.items())
    return [
        *lines,
        objective(
            "every payment is in the ledger" + (" of both members" if len(verified.in_ledger_by_region) > 1 else ""),
            "0 without a row",
            f"{len(verified.missing_in_ledger)} without a row; acknowledged: {posted}",
            met=not verified.missing_in_ledger,
        ),
        objective(
            "the regions hold the same",
            "no difference",
            f"{len(verified.journals_differ)} entries of the journal and {len(verified.ledgers_differ)} rows differ",
            met=not verified.journals_differ and not verified.ledgers_differ,
        ),
        objective(
            "at no moment two regions write the ledger",
            "never",
            measured.two_writers[0] if measured.two_writers else "never",
            met=not measured.two_writers,
        ),
    ]


def _awaited(measured: Measured) -> list[CheckReport]:
    return [
        timed(
            measured,
            each.name,
            f"within {each.limit * measured.speed:.0f} AWS s",
            f"after {each.seconds * measured.speed:.1f} AWS s" if each.met else f"not in time: {each.evidence}",
            seconds=each.seconds if each.met else None,
            limit=math.inf,  # what came at all came in time, by the clock that waited for it
            span=(each.at, each.at + each.seconds),
        )
        for each in measured.awaited
    ]


def _poison(objectives: Objectives, measured: Measured) -> list[CheckReport]:
    if not objectives.poisoned:
        return []
    told = measured.reported_poison
    return [
        objective(
            "entries that cannot be posted reach people, with the reason",
            f"{objectives.poisoned} reported",
            "; ".join(f"{payment_id}: {reason}" for payment_id, reason in sorted(told.items())) or "none reported",
            met=len(told) == objectives.poisoned and all(told.values()),
        )
    ]


def _second_runs(objectives: Objectives, measured: Measured) -> list[CheckReport]:
    if not objectives.second_runs:
        return []
    runs = measured.second_runs
    found = "; ".join(", ".join(f"{stack} {count}" for stack, count in run.items()) for run in runs)
    return [
        objective(
            "running the stack programs again changes nothing",
            f"0 changes, {objectives.second_runs} times",
            f"changes: {found}" if runs else "not run",
            met=len(runs) == objectives.second_runs and not any(count for run in runs for count in run.values()),
        )
    ]


def _plan(objectives: Objectives, measured: Measured) -> list[CheckReport]:
    """Whether the run was what it was to be; where it was not, it proves nothing."""
    undisturbed = check(
        "plan",
        "nothing failed before the fault",
        "0 failed",
        f"{measured.failed_before_fault} failed",
        met=measured.failed_before_fault == 0,
    )
    lines = [unless_starved(measured, undisturbed, (0.0, measured.fault_at))]
    if objectives.is_lost:
        lines.append(
            check(
                "plan",
                "the region was really away",
                "calls refused",
                f"{measured.calls_refused} calls refused",
                met=measured.calls_refused > 0,
                inconclusive=True,
            )
        )
    return [
        *lines,
        check(
            "plan",
            "the load kept its schedule",
            "0 payments shed",
            f"{measured.shed} payments shed",
            met=measured.shed == 0,
            inconclusive=True,
        ),
        check(
            "plan",
            "the system could be watched throughout",
            "every look answered",
            f"{len(measured.blind)} looks failed, first {measured.blind[0]}"
            if measured.blind
            else "every look answered",
            met=not measured.blind,
            inconclusive=True,
        ),
    ]


def _way_back(measured: Measured) -> list[CheckReport]:
    restored = check(
        "way back",
        "the steady state returns",
        "as before",
        measured.not_restored or "as before",
        met=measured.not_restored is None,
    )
    return [
        unless_starved(measured, restored, (measured.fault_at, measured.load_ended)),
        check(
            "way back",
            "no process is left behind",
            "none",
            ", ".join(measured.left_behind) or "none",
            met=not measured.left_behind,
        ),
    ]


def verdict(found: Sequence[CheckReport]) -> tuple[Verdict, str | None]:
    """`failed` if an expectation was missed, `inconclusive` if some could not be judged and no other was missed; and
    the first broken expectation, if any."""
    broken = [check for check in found if not check.met]
    if not broken:
        return "passed", None
    missed = [check for check in broken if not check.inconclusive]
    named = next((check for check in missed if check.kind == "objective"), (missed or broken)[0])
    sentence = f"{named.name}: expected {named.expected}, found {named.measured}"
    return "failed" if missed else "inconclusive", sentence


def exit_status(found: Sequence[CheckReport]) -> int:
    """0 all met; 1 missed; 3 rollback incomplete; 4 inconclusive."""
    missed = {check.kind for check in found if not check.met and not check.inconclusive}
    if "way back" in missed:
        return 3
    if missed:
        return 1
    return INCONCLUSIVE if any(not check.met for check in found) else 0
