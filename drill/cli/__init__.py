"""The commands around drills, one file each: what they print and how they end. What they do stands elsewhere."""

import typer

from drill.cli import check, cleanup, history, plan, report, run
from drill.cli import plan as listing


def register(app: typer.Typer) -> None:
    """Add them to the drill's command line."""
    app.command("list")(listing.list_scenarios)
    app.command("plan")(plan.plan)
    app.command("run")(run.run)
    app.command("check")(check.check)
    app.command("report")(report.report)
    app.command("history")(history.history)
    app.command("cleanup")(cleanup.cleanup)
