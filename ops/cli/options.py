"""Options that several commands share."""

from typing import Annotated

import typer

Environment = Annotated[str, typer.Option("--env", help="Pulumi stack name, such as dev for Pulumi.dev.yaml.")]
Yes = Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")]
