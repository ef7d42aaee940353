"""The verdict of a run: each expectation against its measurement, the result, and the exit status."""

import math
from collections.abc import Sequence

from drill.model.objectives import NoTakeOver, Objectives, Planned, TakeOver
from drill.verdict import service, takeover
from drill.verdict.check import CheckReport, Verdict, check, objective, timed, unless_starved
from drill.verdict.result import RunResult
from drill.verdict.service import rto

__all__ = ["INCONCLUSIVE", "checks", "exit_status", "rto", "verdict"]

_NAMED = 5  # changes of a stack
INCONCLUSIVE = 4
"""Exit status of a run that proves nothing about the system."""


def checks(objectives: Objectives, result: RunResult) -> list[CheckReport]:
    """In order of importance; the first one that is not met names a failed run."""
    take_over = objectives.take_over
    return [
        *_payments(result),
        *service.lines(objectives, result),
        *_take_over(take_over, result, timed=objectives.timed),
        *_awaited(result),
        *_poison(objectives, result),
        *_second_runs(result),
        *_plan(objectives, result),
        *_rollback(result),
    ]


def _take_over(expected: TakeOver | NoTakeOver | Planned, result: RunResult, *, timed: bool) -> list[CheckReport]:
    match expected:
        case NoTakeOver():
            return takeover.none_happened(expected, result)
        case Planned():
            return takeover.planned_happened(expected, result)
        case _:
            return takeover.happened(expected, result, timed=timed)


def _payments(result: RunResult) -> list[CheckReport]:
    verified = result.verification
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
            "both regions hold the same data",
            "no difference",
            f"{len(verified.journals_differ)} entries of the journal and {len(verified.ledgers_differ)} rows differ",
            met=not verified.journals_differ and not verified.ledgers_differ,
        ),
        objective(
            "every posted payment is announced",
            "0 without an event",
            f"{len(verified.unannounced)} without an event",
            met=not verified.unannounced,
        ),
        objective(
            "two regions never write the ledger at the same time",
            "never",
            result.two_writers[0] if result.two_writers else "never",
            met=not result.two_writers,
        ),
    ]


def _awaited(result: RunResult) -> list[CheckReport]:
    return [
        timed(
            result,
            each.name,
            f"within {each.limit * result.speed:.0f} AWS s",
            f"after {each.seconds * result.speed:.1f} AWS s" if each.met else f"not in time: {each.evidence}",
            seconds=each.seconds if each.met else None,
            limit=math.inf,  # what came at all came in time, by the clock that waited for it
            span=(each.at, each.at + each.seconds),
        )
        for each in result.awaited
    ]


def _poison(objectives: Objectives, result: RunResult) -> list[CheckReport]:
    if not objectives.poisoned:
        return []
    reported = result.reported_poison
    return [
        objective(
            "entries that cannot be posted become dead letters, with the reason",
            f"{objectives.poisoned} reported",
            "; ".join(f"{payment_id}: {reason}" for payment_id, reason in sorted(reported.items())) or "none reported",
            met=len(reported) == objectives.poisoned and all(reported.values()),
        )
    ]


def _second_runs(result: RunResult) -> list[CheckReport]:
    if not result.planned_second_runs:
        return []
    runs = result.second_runs
    found = "; ".join(", ".join(_changes(stack, found) for stack, found in run.items()) for run in runs)
    return [
        objective(
            "running the stack programs again changes nothing",
            f"0 changes, {result.planned_second_runs} times",
            f"changes: {found}" if runs else "not run",
            met=len(runs) == result.planned_second_runs and not any(found for run in runs for found in run.values()),
        )
    ]


def _changes(stack: str, found: Sequence[str]) -> str:
    named = f" ({', '.join(found[:_NAMED])})" if found else ""
    return f"{stack} {len(found)}{named}"


def _plan(objectives: Objectives, result: RunResult) -> list[CheckReport]:
    """Whether the run went as planned; if not, it proves nothing."""
    undisturbed = check(
        "plan",
        "nothing failed before the fault",
        "0 failed",
        f"{result.failed_before_fault} failed",
        met=result.failed_before_fault == 0,
    )
    lines = [unless_starved(result, undisturbed, (0.0, result.fault_at))]
    if objectives.is_lost:
        lines.append(
            check(
                "plan",
                "the region was really down",
                "calls refused",
                f"{result.calls_refused} calls refused",
                met=result.calls_refused > 0,
                inconclusive=True,
            )
        )
    return [
        *lines,
        check(
            "plan",
            "the load kept its schedule",
            "0 payments shed",
            f"{result.shed} payments shed",
            met=result.shed == 0,
            inconclusive=True,
        ),
        check(
            "plan",
            "the system was observed throughout",
            "every observation succeeded",
            f"{len(result.unobserved)} observations failed, first {result.unobserved[0]}"
            if result.unobserved
            else "every observation succeeded",
            met=not result.unobserved,
            inconclusive=True,
        ),
    ]


def _rollback(result: RunResult) -> list[CheckReport]:
    restored = check(
        "rollback",
        "the steady state returns",
        "as before",
        result.not_restored or "as before",
        met=result.not_restored is None,
    )
    return [
        unless_starved(result, restored, (result.fault_at, result.load_ended)),
        check(
            "rollback",
            "no process is left behind",
            "none",
            ", ".join(result.left_behind) or "none",
            met=not result.left_behind,
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


def may_pass_slower(found: Sequence[CheckReport]) -> bool:
    """Whether a run at a lower speed may show more: what is not met is inconclusive, or a time and nothing else.

    A fault of the system is there at any speed; a machine that computes too slowly is late at a high speed only.
    """
    broken = [check for check in found if not check.met]
    return bool(broken) and all(check.inconclusive or check.is_timed for check in broken)


def exit_status(found: Sequence[CheckReport]) -> int:
    """0 all met; 1 missed; 3 rollback incomplete; 4 inconclusive."""
    missed = {check.kind for check in found if not check.met and not check.inconclusive}
    if "rollback" in missed:
        return 3
    if missed:
        return 1
    return INCONCLUSIVE if any(not check.met for check in found) else 0
