"""Runs one Pulumi program for the language host: `python -m localaws.pulumi_plugins.program`, its settings on stdin."""

import asyncio
import json
import logging
import os
import runpy
import signal
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import set_all_config, settings
from pulumi.runtime.stack import run_in_stack

from localaws.core.environment import collect_rarely
from localaws.pulumi_plugins.language_host import SHOWN

_SECONDS = 1.0  # between two checks of the language host


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends it without a traceback
    asked = json.loads(sys.stdin.buffer.read())
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True, name="host").start()
    collect_rarely()
    program = Path(asked["program"])
    sys.path.insert(0, str(program if program.is_dir() else program.parent))
    settings.configure(
        settings.Settings(
            project=asked["project"],
            stack=asked["stack"],
            monitor=asked["monitor"],
            engine=asked["engine"],
            parallel=asked["parallel"],
            dry_run=asked["dry_run"],
            organization=asked["organization"],
            root_directory=asked["root_directory"],
        )
    )
    set_all_config(asked["config"], asked["secret_keys"])
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # else each output that waits for a failed one is reported
    try:
        _run(program, asked["parallel"])
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return SHOWN
    except Exception:  # noqa: BLE001 - whatever the program raises is shown by the engine
        pulumi.log.error(f"Program failed with an unhandled exception:\n{traceback.format_exc()}")
        return SHOWN
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _run(program: Path, parallel: int) -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(ThreadPoolExecutor(parallel or None))

    def body() -> Any:
        runpy.run_path(str(program), run_name="__main__")

    try:
        loop.run_until_complete(run_in_stack(body))
    finally:
        loop.close()


def _end_with(host: int) -> None:
    """End when the language host is gone, whatever ended it."""
    while os.getppid() == host:
        time.sleep(_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
