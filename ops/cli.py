"""The command line `dr`: every command of the project in one tree."""

from collections.abc import Callable

from drill.cli import drill_commands
from drill.cli.rehearse import rehearse
from ops import audit, local, parameters
from ops.cost import command as cost
from ops.diagrams import command as diagrams
from ops.failover import commands as failover
from ops.failover import unfence
from ops.rollout import commands as rollout
from ops.rollout import doctor, drift, init
from ops.state import commands as state
from ops.teardown import destroy
from shared.command_line import EXIT_CODES, add_command, command_group

app = command_group("Rehearse, deploy, drill and operate a multi-region environment on AWS.", epilog=EXIT_CODES)
_COMMANDS: tuple[Callable[..., None], ...] = (
    rehearse,
    *(doctor.doctor, init.init, rollout.preview, rollout.deploy, rollout.refresh, drift.drift, rollout.outputs),
    *(destroy.destroy, destroy.sweep),
    *(failover.failover, failover.failback, failover.approve, unfence.unfence, audit.audit),
    *(cost.cost, diagrams.graph),
)
for command in _COMMANDS:
    add_command(app, command.__name__, command)
app.add_typer(local.app, name="local")
app.add_typer(drill_commands(), name="drill")
app.add_typer(parameters.app, name="parameters")
app.add_typer(state.app, name="state")
