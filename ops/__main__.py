"""The command line around a deployed environment: `python -m ops`. Exit status: see `ops.ending`."""

import typer

from ops import by_hand, cost, destroy, diagram, doctor, initialise, parameters, stacks, unfence

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Set up, deploy, fail over and destroy environments.",
)
app.command("doctor")(doctor.doctor)
app.command("init")(initialise.init)
app.command("preview")(stacks.preview)
app.command("deploy")(stacks.deploy)
app.command("refresh")(stacks.refresh)
app.command("outputs")(stacks.outputs)
app.command("destroy-stack")(stacks.destroy_stack)
app.command("destroy")(destroy.destroy)
app.command("sweep")(destroy.sweep)
app.command("failover")(by_hand.failover)
app.command("failback")(by_hand.failback)
app.command("approve")(by_hand.approve)
app.command("unfence")(unfence.unfence)
app.command("cost")(cost.cost)
app.command("graph")(diagram.graph)
app.add_typer(parameters.app, name="parameters")

if __name__ == "__main__":
    app()
