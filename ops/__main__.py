"""The command line around a deployed environment: `python -m ops`. Exit status: see `ops.cli.errors`."""

import typer

from ops import parameters
from ops.cost import command
from ops.diagrams import command as diagrams_command
from ops.failover import commands, unfence
from ops.rollout import commands as rollout_commands
from ops.rollout import doctor, init
from ops.teardown import destroy

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Set up, deploy, fail over and destroy environments.",
)
app.command("doctor")(doctor.doctor)
app.command("init")(init.init)
app.command("preview")(rollout_commands.preview)
app.command("deploy")(rollout_commands.deploy)
app.command("refresh")(rollout_commands.refresh)
app.command("outputs")(rollout_commands.outputs)
app.command("destroy-stack")(rollout_commands.destroy_stack)
app.command("destroy")(destroy.destroy)
app.command("sweep")(destroy.sweep)
app.command("failover")(commands.failover)
app.command("failback")(commands.failback)
app.command("approve")(commands.approve)
app.command("unfence")(unfence.unfence)
app.command("cost")(command.cost)
app.command("graph")(diagrams_command.graph)
app.add_typer(parameters.app, name="parameters")

if __name__ == "__main__":
    app()
