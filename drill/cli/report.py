"""`python -m drill report`: a run's report again, in all its shapes, and into the bucket if wanted."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from drill.cli.options import ENDPOINTS, ROOT, EndpointsFile, Env, Local, Root, end, found
from drill.cli.summary import summary
from drill.report import files, upload
from drill.report.upload import UploadError
from drill.runlog import folders, log
from drill.runlog.folders import NoRun
from drill.runlog.log import JournalError


def report(
    run: Annotated[str | None, typer.Argument(help="Folder name of the run; the latest by default.")] = None,
    env: Env = "dev",
    here: Local = False,
    endpoints: EndpointsFile = ENDPOINTS,
    root: Root = ROOT,
    send: Annotated[bool, typer.Option("--upload", help="Also upload it to the environment's S3 bucket.")] = False,
) -> None:
    """Show the report of a run, verify its log, and write the report files again."""
    try:
        folder = folders.chosen(env, run, root=root)
        read = files.read(folder)
    except (NoRun, OSError) as error:
        raise end(2, f"No report: {error}") from error
    except ValidationError as error:
        raise end(2, f"The report in {folder} is of another version: {error.error_count()} fields differ") from error
    files.write(read, folder)
    console = Console()
    console.print(summary(read, folder))
    _verify(console, run=folder.name, entries=_entries(folder))
    if send:
        try:
            keys = upload.upload(found(env, here=here, endpoints=endpoints), folder)
        except UploadError as error:
            raise end(1, str(error)) from error
        console.print(f"Uploaded {len(keys)} files to {keys[0].rpartition('/')[0]}/", highlight=False)


def _entries(folder: Path) -> int | None:
    """How many lines the journal holds; None if there is none. The end with status 1 if it was changed."""
    try:
        return len(log.read(folder))
    except FileNotFoundError:
        return None
    except JournalError as error:
        raise end(1, f"The journal cannot be believed: {error}") from error


def _verify(console: Console, *, run: str, entries: int | None) -> None:
    said = "no journal" if entries is None else f"{entries} entries, unchanged since they were written"
    console.print(f"Journal of {run}: {said}", highlight=False)
