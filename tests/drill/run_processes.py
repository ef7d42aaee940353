"""Drills as processes of their own, and their environment as AWS shows it from outside."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drill.runlog import folders
from drill.runlog import log as journal
from drill.runlog.entries import Entry
from drill.runlog.log import Recorded
from shared.deployment_search import local
from shared.places import Place
from tests.drill.running_environment import words

BASELINE = {"fenced": [], "running": [], "writers": ["us-east-1"]}
_REACH_SECONDS = 600.0
_END_SECONDS = 600.0


@dataclass(frozen=True, kw_only=True)
class Going:
    """A running drill. Its folder is below `root`, its output in `out`."""

    process: subprocess.Popen[bytes]
    out: Path
    root: Path

    @property
    def printed(self) -> str:
        return self.out.read_text()

    @property
    def folder(self) -> Path:
        return folders.chosen("dev", None, root=self.root)

    def journal(self) -> list[Recorded]:
        """Verified: a broken chain raises RunLogError."""
        return journal.read(self.folder)

    def wait_until_printed(self, pattern: str) -> None:
        self._wait(lambda: re.search(pattern, self.printed) is not None, pause=0.02)

    def wait_until_written(self, holds: Callable[[Entry], bool]) -> None:
        """Until the journal has such an entry."""

        def found() -> bool:
            begun = any((each / journal.NAME).exists() for each in folders.folders("dev", root=self.root))
            return begun and any(holds(each.entry) for each in self.journal())

        self._wait(found, pause=0.2)  # a journal is long

    def ended(self) -> int:
        """Its exit status, once it has one."""
        return self.process.wait(_END_SECONDS)

    def _wait(self, reached: Callable[[], bool], *, pause: float) -> None:
        deadline = time.monotonic() + _REACH_SECONDS
        while not reached():
            assert self.process.poll() is None, self.printed
            assert time.monotonic() < deadline, self.printed
            time.sleep(pause)


@contextmanager
def begun(name: str, file: Path, root: Path) -> Iterator[Going]:
    """`name` in a process group of its own, as a shell starts it; it is gone when the block ends."""
    out = root / "out"
    with out.open("wb") as printed:
        command = [sys.executable, "-m", "drill", *words(name, file, root)]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield Going(process=process, out=out, root=root)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(_END_SECONDS)


def cleaned_up(file: Path, root: Path) -> subprocess.CompletedProcess[str]:
    """`drill cleanup` of every run with pending rollbacks."""
    options = ["--env", "dev", "--local", "--endpoints", str(file), "--root", str(root), "--yes"]
    command = [sys.executable, "-m", "drill", "cleanup", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=_END_SECONDS)


def state(file: Path) -> dict[str, Any]:
    """The fenced regions, by either replica; the members that write; the failovers and failbacks that run."""
    deployment = local(file=file)
    table = deployment.global_outputs.journal_table
    fenced, running = [], []
    for place in Place:
        for region in deployment.regions.values():
            found = deployment.client("dynamodb", place).get_item(
                TableName=table, Key={"pk": {"S": f"region#{region}"}}, ConsistentRead=True
            )
            if found.get("Item", {}).get("state", {}).get("S") == "fenced":
                fenced.append(region)
        for machine in (deployment.cell(place).compute.failover_arn, deployment.cell(place).compute.failback_arn):
            answer = deployment.client("stepfunctions", place).list_executions(
                stateMachineArn=machine, statusFilter="RUNNING"
            )
            running += answer["executions"]
    whole = deployment.client("rds", Place.PRIMARY).describe_global_clusters(
        GlobalClusterIdentifier=deployment.global_outputs.global_cluster_id
    )
    writers = [
        each["DBClusterArn"].split(":")[3]
        for each in whole["GlobalClusters"][0]["GlobalClusterMembers"]
        if each["IsWriter"]
    ]
    return {"fenced": fenced, "running": running, "writers": writers}
