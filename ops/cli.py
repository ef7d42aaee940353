"""The command line `dr`: every command of the project in one tree."""

from drill.cli import drill_commands
from drill.cli.rehearse import rehearse
from ops import local, parameters
from ops.cost import command as cost
from ops.diagrams import command as diagrams
from ops.failover import commands as failover
from ops.failover import unfence
from ops.rollout import commands as rollout
from ops.rollout import doctor, init
from ops.teardown import destroy
from shared.command_line import EXIT_CODES, add_command, command_group

app = command_group(
    "Rehearse, deploy, drill and operate a multi-region environment on AWS.",
    epilog=EXIT_CODES,
)
add_command(app, "rehearse", rehearse)

app.add_typer(local.app, name="local")
app.add_typer(drill_commands(), name="drill")
add_command(app, "doctor", doctor.doctor)
add_command(app, "init", init.init)
add_command(app, "preview", rollout.preview)
add_command(app, "deploy", rollout.deploy)
add_command(app, "refresh", rollout.refresh)
add_command(app, "outputs", rollout.outputs)
add_command(app, "destroy", destroy.destroy)
add_command(app, "sweep", destroy.sweep)
add_command(app, "failover", failover.failover)
add_command(app, "failback", failover.failback)
add_command(app, "approve", failover.approve)
add_command(app, "unfence", unfence.unfence)
app.add_typer(parameters.app, name="parameters")
add_command(app, "cost", cost.cost)
add_command(app, "graph", diagrams.graph)
