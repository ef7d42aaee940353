"""`dr drill report`: shows a run's report, writes its files again, and uploads them on request."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from drill.cli.options import ENDPOINTS, ROOT, EndpointsOption, EnvOrLocalOption, RootOption, find_deployment
from drill.cli.summary import summary
from drill.report import files, upload
from drill.report.upload import UploadError
from drill.runlog import folders, log
from drill.runlog.folders import NoRun
from drill.runlog.log import RunLogError
from shared.command_line import CouldNotStart, LocalOption, Refused


def report(
    run: Annotated[str | None, typer.Argument(help="Folder name of the run; the latest by default.")] = None,
    env: EnvOrLocalOption = "dev",
    local: LocalOption = False,
    endpoints: EndpointsOption = ENDPOINTS,
    root: RootOption = ROOT,
    send: Annotated[bool, typer.Option("--upload", help="Also upload it to the environment's S3 bucket.")] = False,
) -> None:
    """Show the report of a run and verify its log.

    The report files are written again.
    """
    try:
        folder = folders.chosen(env, run, root=root)
        read = files.read(folder)
    except (NoRun, OSError) as error:
        raise CouldNotStart(f"no report: {error}") from error
    except ValidationError as error:
        raise CouldNotStart(
            f"the report in {folder} was written by another version: {error.error_count()} fields differ"
        ) from error
    files.write(read, folder)
    console = Console()
    console.print(summary(read, folder))
    _verify(console, run=folder.name, entries=_entries(folder))
    if send:
        try:
            keys = upload.upload(find_deployment(env, on_this_machine=local, endpoints=endpoints), folder)
        except UploadError as error:
            raise Refused(str(error)) from error
        console.print(f"Uploaded {len(keys)} files to {keys[0].rpartition('/')[0]}/", highlight=False)


def _entries(folder: Path) -> int | None:
    """The number of entries in the run log, None without a log. Raises Refused if it was changed."""
    try:
        return len(log.read(folder))
    except FileNotFoundError:
        return None
    except RunLogError as error:
        raise Refused(f"the run log was changed after the run: {error}") from error


def _verify(console: Console, *, run: str, entries: int | None) -> None:
    content = "none" if entries is None else f"{entries} entries, unchanged since they were written"
    console.print(f"Run log of {run}: {content}", highlight=False)
