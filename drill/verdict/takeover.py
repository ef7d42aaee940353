"""Checks of the failover: that it happened in time and once, or that it did not and the sentinel logged the reason."""

from collections.abc import Sequence

from drill.model.objectives import DRAIN_AWS_SECONDS, NoTakeOver, Planned, TakeOver
from drill.observe.workflow_runs import WorkflowRun
from drill.verdict.check import CheckReport, Span, objective, timed, unless_starved
from drill.verdict.result import RunResult


def none_happened(expected: NoTakeOver, result: RunResult) -> list[CheckReport]:
    names = [f"{run.machine} {run.name} in {run.region}" for run in result.runs]
    none = objective(
        "no failover begins", "no run of a workflow", ", ".join(names) or "no run of a workflow", met=not names
    )
    found = [unless_starved(result, none, _disturbed(result))]
    if expected.watcher is None:
        return found
    region = result.regions[expected.watcher]
    holds = sorted({each.reason for each in result.decisions if each.region == region and each.verdict == "hold"})
    given = sorted(set(holds) & expected.reasons)
    why = objective(
        f"the sentinel of {region} holds for the expected reason",
        " or ".join(sorted(expected.reasons)),
        ", ".join(given or holds) or "no decision to hold",
        met=bool(given),
    )
    return [*found, unless_starved(result, why, _disturbed(result))]


def _disturbed(result: RunResult) -> Span:
    """From the first fault to the end of the load."""
    return result.fault_at, result.load_ended


def happened(expected: TakeOver, result: RunResult, *, timed: bool = True) -> list[CheckReport]:
    """Without `timed`, when the failover began and drained the ledger is not judged."""
    failovers = [run for run in result.runs if run.machine == "failover"]
    went_on = [run for run in failovers if run.went_on]
    span = _disturbed(result)
    lines = [unless_starved(result, _once(expected, failovers, went_on), span)]
    if not expected.by_switchover:
        lines.append(_no_calls(result))
    if not went_on:
        return lines
    run = went_on[0]
    if expected.by_sentinel and timed:
        lines.append(_begun(run, result, expected.begins_aws_seconds))
    drained = _drained(expected, run, result) if timed else []
    lines += [fenced(run, result), *drained, unless_starved(result, proved(run), span)]
    if expected.by_switchover:
        lines.append(_switched_over(run, result))
    if expected.loses_rows:
        lines.append(_brought_back(result))
    for later in went_on[1:]:
        lines += [fenced(later, result), unless_starved(result, proved(later), span)]
    failbacks = [each for each in result.runs if each.machine == "failback"]
    return [*lines, unless_starved(result, _failed_back(expected, failbacks), span)]


def _once(expected: TakeOver, failovers: Sequence[WorkflowRun], went_on: Sequence[WorkflowRun]) -> CheckReport:
    held = [f"{run.name} held: {run.held_because}" for run in failovers if run not in went_on]
    started = max(1, expected.requested)
    outcomes = [f"{run.name} {run.status.lower()} {run.failure}".strip() for run in went_on] + held
    one = expected.failovers == 1
    count = (
        "one failover takes place, and succeeds" if one else f"{expected.failovers} failovers take place, and succeed"
    )
    return objective(
        f"exactly {count}",
        ("1 run succeeds" if one else f"{expected.failovers} runs succeed")
        + (f" of {started} or more that were started" if expected.requested else ""),
        "; ".join(outcomes) or "no run began",
        met=len(went_on) == expected.failovers
        and all(run.status == "SUCCEEDED" for run in went_on)
        and len(failovers) >= started,
    )


def _no_calls(result: RunResult) -> CheckReport:
    calls = result.control_calls
    total = sum(call.count for call in calls)
    return objective(
        "no control plane is called: not the lost region's, not Route 53's, not Global Accelerator's",
        "0 calls",
        f"{total} calls: {'; '.join(call.sentence for call in calls[:5])}"
        if calls
        else ("0 calls" if result.calls_counted else "not counted"),
        met=result.calls_counted and not total,
    )


def _begun(run: WorkflowRun, result: RunResult, limit: float) -> CheckReport:
    seconds = None if result.lost_at is None else (run.started - result.lost_at) * result.speed
    ours = run.document.get("preconditions", {}).get("detected_at") is not None
    name, expects = "the sentinel starts the failover in time", f"at most {limit:g} AWS s after the loss"
    if not ours or seconds is None or seconds < 0:
        return objective(name, expects, "it was not the sentinel that started it", met=False)
    lost = result.moment(result.lost_at or 0.0)
    return timed(
        result,
        name,
        expects,
        f"{seconds:.1f} AWS s",
        seconds=round(seconds, 1) / result.speed,
        limit=limit / result.speed,
        span=(lost, result.moment(run.started)),
    )


def fenced(run: WorkflowRun, result: RunResult) -> CheckReport:
    """Before the database changes: a region that is not fenced might continue to post."""
    fenced, changed = run.moment("fence"), run.moment("change")
    return objective(
        "the lost region is fenced before the database moves",
        "fenced first",
        "not fenced"
        if fenced is None
        else f"{((changed or fenced) - fenced) * result.speed:.1f} AWS s before"
        if changed is None or fenced <= changed
        else f"{(fenced - changed) * result.speed:.1f} AWS s after",
        met=fenced is not None and (changed is None or fenced <= changed),
    )


def _drained(expected: TakeOver, run: WorkflowRun, result: RunResult) -> list[CheckReport]:
    """The time of the failover until the ledger was drained, without the promotion, whose time is AWS's."""
    drained, requested = run.moment("replay"), run.moment("change")
    if drained is None or requested is None:
        return [objective("the ledger is drained in time", "drained", "not drained", met=False)]
    promotion = max(0.0, result.promoted_at - requested) if result.promoted_at else 0.0
    ours = (drained - run.started - promotion) * result.speed
    promoted = result.promoted_at is not None or not expected.promotes
    counted = run.document.get("replay", {})
    lines = [
        timed(
            result,
            "the ledger is drained in time, apart from the promotion",
            f"at most {DRAIN_AWS_SECONDS:g} AWS s besides",
            f"{ours:.1f} AWS s besides {promotion * result.speed:.1f} AWS s of promotion; "
            f"{counted.get('posted', 0)} payments replayed",
            seconds=round(ours, 1) / result.speed if promoted else None,
            limit=DRAIN_AWS_SECONDS / result.speed,
            span=(result.moment(run.started), result.moment(drained)),
            besides=(result.moment(requested), result.moment(requested) + promotion),
        )
    ]
    if expected.promotes:
        change = run.document.get("change", {})
        state, late = change.get("state"), run.method == "switchover"
        lines.append(
            objective(
                "the database's writer moves", "started", str(state), met=late or state in ("started", "in-progress")
            )
        )
    return lines


def proved(run: WorkflowRun) -> CheckReport:
    proof = run.document.get("verification", {})
    return objective(
        "a payment verifies the recovery end to end",
        "posted",
        f"{proof['payment_id']} posted after {proof['posted_after_seconds']:.1f} AWS s"
        if "payment_id" in proof
        else "no verification",
        met="payment_id" in proof,
    )


def _switched_over(run: WorkflowRun, result: RunResult) -> CheckReport:
    """By the run's own document, and by the rows: one that was lost and replayed has another epoch and time."""
    method, loss = run.method or "none", result.promotion_loss
    return objective(
        "the database is switched over, and loses no row",
        "switchover, 0 rows lost",
        f"{method}, " + ("no snapshot of the ledger" if loss is None else f"{loss.lost} of {loss.had} rows lost"),
        met=method == "switchover" and loss is not None and loss.had > 0 and not loss.lost,
    )


def _brought_back(result: RunResult) -> CheckReport:
    loss = result.promotion_loss
    return objective(
        "the replay restores the rows that the promotion lost",
        "rows lost, and all of them restored",
        "no snapshot of the ledger"
        if loss is None
        else f"{loss.lost} of {loss.had} rows lost, {loss.brought_back} restored",
        met=loss is not None and loss.lost > 0 and loss.brought_back == loss.lost,
    )


def _failed_back(expected: TakeOver, failbacks: Sequence[WorkflowRun]) -> CheckReport:
    well = [run for run in failbacks if run.status == "SUCCEEDED" and run.went_on]
    return objective(
        "the failback succeeds",
        f"{expected.failbacks} succeeded",
        "; ".join(f"{run.status.lower()} {run.failure or run.held_because or ''}".strip() for run in failbacks)
        or "none was started",
        met=len(well) == expected.failbacks,
    )


# Planned failovers: every run succeeded, in time, fenced and verified.


def planned_happened(expected: Planned, result: RunResult) -> list[CheckReport]:
    went_on = [run for run in result.runs if run.went_on]
    ended_well = unless_starved(result, _ended_well(expected, result), (result.fault_at, result.load_ended))
    lines = [ended_well, *(_in_time(run, expected, result) for run in went_on)]
    lines += [fenced(run, result) for run in went_on if run.machine == "failover"]
    return lines + [proved(run) for run in went_on]


def _ended_well(expected: Planned, result: RunResult) -> CheckReport:
    wanted = {"failover": expected.failovers, "failback": expected.failbacks}
    well = {
        machine: sum(run.machine == machine and run.went_on and run.status == "SUCCEEDED" for run in result.runs)
        for machine in wanted
    }
    outcomes = [f"{run.machine} {run.status.lower()} {_why(run)}".strip() for run in result.runs]
    return objective(
        "the planned failovers and failbacks succeed",
        ", ".join(f"{count} {machine}" for machine, count in wanted.items() if count),
        "; ".join(outcomes) or "no run began",
        met=well == wanted,
    )


def _why(run: WorkflowRun) -> str:
    return run.failure or (f"held: {run.held_because}" if run.held_because else "")


def _in_time(run: WorkflowRun, expected: Planned, result: RunResult) -> CheckReport:
    seconds = None if run.ended is None else (run.ended - run.started) * result.speed
    return timed(
        result,
        f"the {run.machine} to {_writer(run)} ends in time",
        f"at most {expected.aws_seconds:g} AWS s",
        "it has not ended" if seconds is None else f"{seconds:.1f} AWS s",
        seconds=None if seconds is None else round(seconds, 1) / result.speed,
        limit=expected.aws_seconds / result.speed,
        span=(result.moment(run.started), result.load_ended if run.ended is None else result.moment(run.ended)),
    )


def _writer(run: WorkflowRun) -> str:
    """The region that the run was to move the writer to, by its own document."""
    return str(run.document.get("preconditions", {}).get("writer_region", run.region))
