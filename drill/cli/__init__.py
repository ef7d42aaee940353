"""The drill commands, one file each: options, what they print, and exit codes. The work is done in `drill.engine`."""

from collections.abc import Callable, Mapping

import typer

from drill.cli import check, cleanup, history, plan, report, run
from shared.command_line import add_command, command_group

_COMMANDS: Mapping[str, Callable[..., None]] = {
    "list": plan.list_scenarios,
    "plan": plan.plan,
    "run": run.run,
    "check": check.check,
    "report": report.report,
    "history": history.history,
    "cleanup": cleanup.cleanup,
}


def drill_commands() -> typer.Typer:
    """The group `dr drill`."""
    group = command_group(
        "Run disaster recovery drills and show their results.\n\n"
        "A drill injects a failure under load, measures what clients saw, and verifies that nothing was lost."
    )
    for name, command in _COMMANDS.items():
        add_command(group, name, command)
    return group
