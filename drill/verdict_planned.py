"""Checks for planned failovers: that every run ended well, in time, fenced and proved."""

from drill.measured import Measured
from drill.objectives import Planned
from drill.report.model import CheckReport
from drill.verdict_lines import objective, timed, unless_starved
from drill.verdict_take_over import fenced, proved
from drill.workflow_runs import WorkflowRun


def happened(expected: Planned, measured: Measured) -> list[CheckReport]:
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
    return str(run.document.get("guard", {}).get("writer_region", run.region))
