"""Conventions of the command line `dr`: groups, shared options, the confirmation, expected errors and exit codes.

A command raises `CommandError` to end early. What `add_command` registers prints expected errors without a traceback
and maps them to exit codes.
"""

import functools
import signal
from collections.abc import Callable
from typing import Annotated, ClassVar, ParamSpec

import typer
from botocore.exceptions import BotoCoreError, ClientError

from shared.deployment import DeploymentError
from shared.pulumi_cli import PulumiError

EXIT_CODES = """\b
Exit codes:
  0    done; every objective was met, every check passed
  1    an objective was missed, a check failed, or a guard refused the command
  2    not started; nothing was changed
  3    incomplete; the message names what is left to do
  4    inconclusive: this machine is too slow for the rehearsal
  130  interrupted by Ctrl-C (143: by SIGTERM); a drill rolls back first
"""
"""`\\b` keeps the help from joining the lines."""

EnvOption = Annotated[str, typer.Option("--env", help="Environment, by its Pulumi stack name.")]
LocalOption = Annotated[bool, typer.Option("--local", help="Use the environment that `dr local up` runs.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
NlbTailOption = Annotated[
    float,
    typer.Option("--nlb-tail", min=0, help="AWS seconds for which load balancers still use an unhealthy target."),
]
OutageModeOption = Annotated[
    str, typer.Option("--outage-mode", help="Failure mode of a lost region of the embedded AWS: error, reset or hang.")
]

Arguments = ParamSpec("Arguments")


class CommandError(RuntimeError):
    """Ends a command early. The message gives the reason and the remedy."""

    status: ClassVar[int]
    prefix: ClassVar[str] = ""


class Refused(CommandError):
    """A guard refuses the command, or a check found something. Nothing was changed."""

    status = 1


class CouldNotStart(CommandError):
    """Something is missing, wrong, or not confirmed. Nothing was changed."""

    status = 2
    prefix = "Not started: "


class Incomplete(CommandError):
    """Part of the work was done; the message names what is left to do."""

    status = 3
    prefix = "Incomplete: "


class Inconclusive(CommandError):
    """A rehearsal without a verdict, as this machine could not keep up."""

    status = 4
    prefix = "Inconclusive: "


class Interrupted(CommandError):
    """Ended by the signal `number`."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


def command_group(help: str, *, epilog: str | None = None) -> typer.Typer:
    """An empty group of commands. Its help is plain text."""
    return typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=help,
        epilog=epilog,
    )


def add_command(group: typer.Typer, name: str, command: Callable[..., None]) -> None:
    group.command(name)(exit_on_error(command))


def exit_on_error(command: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Prints expected errors of `command` without a traceback and maps them to exit codes."""

    @functools.wraps(command)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except CommandError as error:
            raise typer.Exit(print_error(error)) from error
        except (DeploymentError, PulumiError) as error:
            raise typer.Exit(print_error(CouldNotStart(str(error)))) from error
        except (BotoCoreError, ClientError) as error:
            raise typer.Exit(print_error(Incomplete(f"AWS refused or did not answer: {error}"))) from error
        except KeyboardInterrupt as error:
            raise typer.Exit(print_error(Interrupted(signal.SIGINT, "interrupted"))) from error

    return run


def print_error(error: CommandError) -> int:
    """The error's exit code. It is printed on standard error, which leaves standard output to the results."""
    typer.secho(f"{error.prefix}{error}", err=True, fg=typer.colors.RED, bold=True)
    return 128 + error.number if isinstance(error, Interrupted) else error.status


def confirm(action: str, *names: str, yes: bool) -> None:
    """Print what is about to happen, and continue only if one of the environment's `names` is typed, or with `yes`.

    Raises CouldNotStart for any other answer, and where there is no terminal.
    """
    typer.echo(action)
    if yes:
        return
    typer.echo(f"Type {names[0]} to continue: ", nl=False)
    try:
        answer = input().strip()
    except EOFError:
        raise CouldNotStart("confirmation needs a terminal; pass --yes (YES=1)") from None
    if answer not in names:
        raise CouldNotStart(f"{answer or 'nothing'} is not {names[0]}; nothing was changed")
