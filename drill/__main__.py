"""`python -m drill`: the commands of `dr drill`, and `rehearse`."""

from drill.cli import drill_commands
from drill.cli.rehearse import rehearse
from shared.command_line import add_command

app = drill_commands()
add_command(app, "rehearse", rehearse)

if __name__ == "__main__":
    app()
