"""The failover, judged: that it happened in time and once, or that it did not happen and the sentinel said why."""

from collections.abc import Sequence

from drill.model.objectives import DRAIN_AWS_SECONDS, NoTakeOver, Planned, TakeOver
from drill.observe.workflow_runs import WorkflowRun
from drill.verdict.model import CheckReport
from drill.verdict.result import Measured, Span, objective, timed, unless_starved


def none_happened(expected: NoTakeOver, measured: Measured) -> list[CheckReport]:
    names = [f"{run.machine} {run.name} in {run.region}" for run in measured.runs]
    none = objective(
        "no failover begins", "no run of a workflow", ", ".join(names) or "no run of a workflow", met=not names
    )
    found = [unless_starved(measured, none, _disturbed(measured))]
    if expected.watcher is None:
        return found
    region = measured.regions[expected.watcher]
    holds = sorted({each.reason for each in measured.decisions if each.region == region and each.verdict == "hold"})
    said = sorted(set(holds) & expected.reasons)
    why = objective(
        f"the sentinel of {region} says why it holds",
        " or ".join(sorted(expected.reasons)),
        ", ".join(said) or f"{', '.join(holds) or 'nothing'}",
        met=bool(said),
    )
    return [*found, unless_starved(measured, why, _disturbed(measured))]


def _disturbed(measured: Measured) -> Span:
    """From the first fault to the end of the load."""
    return measured.fault_at, measured.load_ended


def happened(expected: TakeOver, measured: Measured) -> list[CheckReport]:
    failovers = [run for run in measured.runs if run.machine == "failover"]
    went_on = [run for run in failovers if run.went_on]
    span = _disturbed(measured)
    lines = [unless_starved(measured, _once(expected, failovers, went_on), span), _no_calls(measured)]
    if not went_on:
        return lines
    run = went_on[0]
    if expected.by_sentinel:
        lines.append(_begun(run, measured, expected.begins_aws_seconds))
    lines += [fenced(run, measured), *_drained(expected, run, measured), unless_starved(measured, proved(run), span)]
    if expected.loses_rows:
        lines.append(_brought_back(measured))
    failbacks = [each for each in measured.runs if each.machine == "failback"]
    return [*lines, unless_starved(measured, _failed_back(expected, failbacks), span)]


def _once(expected: TakeOver, failovers: Sequence[WorkflowRun], went_on: Sequence[WorkflowRun]) -> CheckReport:
    held = [f"{run.name} held: {run.held_because}" for run in failovers if run not in went_on]
    asked = max(1, expected.asked)
    told = [f"{run.name} {run.status.lower()} {run.failure}".strip() for run in went_on] + held
    return objective(
        "one failover takes place, and ends well",
        "1 run succeeds" + (f" of {asked} or more that were asked for" if expected.asked else ""),
        "; ".join(told) or "no run began",
        met=len(went_on) == 1 and went_on[0].status == "SUCCEEDED" and len(failovers) >= asked,
    )


def _no_calls(measured: Measured) -> CheckReport:
    calls = measured.control_calls
    total = sum(call.count for call in calls)
    return objective(
        "no control plane is called in the lost region, at Route 53's or Global Accelerator's",
        "0 calls",
        f"{total} calls: {'; '.join(call.sentence for call in calls[:5])}"
        if calls
        else ("0 calls" if measured.calls_counted else "not counted"),
        met=measured.calls_counted and not total,
    )


def _begun(run: WorkflowRun, measured: Measured, limit: float) -> CheckReport:
    seconds = None if measured.lost_at is None else (run.started - measured.lost_at) * measured.speed
    ours = run.document.get("preconditions", {}).get("detected_at") is not None
    name, expects = "the sentinel starts the failover in time", f"at most {limit:g} AWS s after the loss"
    if not ours or seconds is None or seconds < 0:
        return objective(name, expects, "somebody else started it", met=False)
    lost = measured.moment(measured.lost_at or 0.0)
    return timed(
        measured,
        name,
        expects,
        f"{seconds:.1f} AWS s",
        seconds=round(seconds, 1) / measured.speed,
        limit=limit / measured.speed,
        span=(lost, measured.moment(run.started)),
    )


def fenced(run: WorkflowRun, measured: Measured) -> CheckReport:
    """Before the database is touched: a region that is not fenced might go on posting."""
    fenced, asked = run.moment("fence"), run.moment("change")
    return objective(
        "the lost region is fenced before the database moves",
        "fenced first",
        "not fenced"
        if fenced is None
        else f"{((asked or fenced) - fenced) * measured.speed:.1f} AWS s before"
        if asked is None or fenced <= asked
        else f"{(fenced - asked) * measured.speed:.1f} AWS s after",
        met=fenced is not None and (asked is None or fenced <= asked),
    )


def _drained(expected: TakeOver, run: WorkflowRun, measured: Measured) -> list[CheckReport]:
    """All that the failover took until the ledger was drained, but for the promotion that AWS takes."""
    drained, asked = run.moment("replay"), run.moment("change")
    if drained is None or asked is None:
        return [objective("the ledger is drained in time", "drained", "not drained", met=False)]
    promotion = max(0.0, measured.promoted_at - asked) if measured.promoted_at else 0.0
    ours = (drained - run.started - promotion) * measured.speed
    promoted = measured.promoted_at is not None or not expected.promotes
    counted = run.document.get("replay", {})
    lines = [
        timed(
            measured,
            "nothing but the promotion stands between the start and a drained ledger",
            f"at most {DRAIN_AWS_SECONDS:g} AWS s besides",
            f"{ours:.1f} AWS s besides {promotion * measured.speed:.1f} AWS s of promotion; "
            f"{counted.get('posted', 0)} payments replayed",
            seconds=round(ours, 1) / measured.speed if promoted else None,
            limit=DRAIN_AWS_SECONDS / measured.speed,
            span=(measured.moment(run.started), measured.moment(drained)),
            besides=(measured.moment(asked), measured.moment(asked) + promotion),
        )
    ]
    if expected.promotes:
        state = run.document.get("change", {}).get("state")
        lines.append(
            objective("the database is promoted", "started", str(state), met=state in ("started", "in-progress"))
        )
    return lines


def proved(run: WorkflowRun) -> CheckReport:
    proof = run.document.get("verification", {})
    return objective(
        "a payment proves the recovery end to end",
        "posted",
        f"{proof['payment_id']} posted after {proof['posted_after_seconds']:.1f} AWS s"
        if "payment_id" in proof
        else "no proof",
        met="payment_id" in proof,
    )


def _brought_back(measured: Measured) -> CheckReport:
    loss = measured.promotion_loss
    return objective(
        "what the promotion loses the replay brings back",
        "rows lost, and all of them back",
        "stock was not taken" if loss is None else f"{loss.lost} of {loss.had} rows lost, {loss.brought_back} back",
        met=loss is not None and loss.lost > 0 and loss.brought_back == loss.lost,
    )


def _failed_back(expected: TakeOver, failbacks: Sequence[WorkflowRun]) -> CheckReport:
    well = [run for run in failbacks if run.status == "SUCCEEDED" and run.went_on]
    return objective(
        "the failback ends well",
        f"{expected.failbacks} succeeded",
        "; ".join(f"{run.status.lower()} {run.failure or run.held_because or ''}".strip() for run in failbacks)
        or "none was started",
        met=len(well) == expected.failbacks,
    )


# Checks for planned failovers: that every run ended well, in time, fenced and proved.


def planned_happened(expected: Planned, measured: Measured) -> list[CheckReport]:
    went_on = [run for run in measured.runs if run.went_on]
    ended_well = unless_starved(measured, _ended_well(expected, measured), (measured.fault_at, measured.load_ended))
    lines = [ended_well, *(_in_time(run, expected, measured) for run in went_on)]
    lines += [fenced(run, measured) for run in went_on if run.machine == "failover"]
    return lines + [proved(run) for run in went_on]


def _ended_well(expected: Planned, measured: Measured) -> CheckReport:
    wanted = {"failover": expected.failovers, "failback": expected.failbacks}
    well = {
        machine: sum(run.machine == machine and run.went_on and run.status == "SUCCEEDED" for run in measured.runs)
        for machine in wanted
    }
    told = [f"{run.machine} {run.status.lower()} {_why(run)}".strip() for run in measured.runs]
    return objective(
        "what is moved on purpose moves, and ends well",
        ", ".join(f"{count} {machine}" for machine, count in wanted.items() if count),
        "; ".join(told) or "no run began",
        met=well == wanted,
    )


def _why(run: WorkflowRun) -> str:
    return run.failure or (f"held: {run.held_because}" if run.held_because else "")


def _in_time(run: WorkflowRun, expected: Planned, measured: Measured) -> CheckReport:
    seconds = None if run.ended is None else (run.ended - run.started) * measured.speed
    return timed(
        measured,
        f"the {run.machine} to {_writer(run)} is done in time",
        f"at most {expected.aws_seconds:g} AWS s",
        "it has not ended" if seconds is None else f"{seconds:.1f} AWS s",
        seconds=None if seconds is None else round(seconds, 1) / measured.speed,
        limit=expected.aws_seconds / measured.speed,
        span=(measured.moment(run.started), measured.load_ended if run.ended is None else measured.moment(run.ended)),
    )


def _writer(run: WorkflowRun) -> str:
    """Where the run was to bring the writer, by its own document."""
    return str(run.document.get("preconditions", {}).get("writer_region", run.region))
