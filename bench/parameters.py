"""`python -m bench.parameters`: API calls of reconciling many parameters on one embedded AWS.

Exits with 1 if a reconciliation needs more calls than the API requires, or leaves a difference.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from botocore.config import Config
from rich.console import Console
from rich.table import Table

from localaws import launch
from localaws.core.environment import ACCOUNT

sys.path.insert(0, str(Path(__file__).parents[1] / "functions"))  # as in the function's archive

from aws_lambda_powertools import Logger
from parameter_sync.deletions import Budget
from parameter_sync.reconcile import Reconciled, Reconciliation
from parameter_sync.settings import Scope
from parameter_sync.store import Store
from parameter_sync.sync import Synchronizer

REGIONS = {"primary": "us-east-1", "secondary": "us-east-2"}
SCOPE = Scope(prefix="/app/bench", private="/app/bench/local")
PAGE, BATCH = 50, 10  # names a call describes, values a call reads, at most
# For each parameter that is copied: both sides' history and tags, both versions again, the new value, both markers.
CALLS_PER_COPY = 9
STANDARD = 40  # a region's default quota of calls a second (AWS General Reference, Systems Manager quotas)

console = Console()


@dataclass(frozen=True, kw_only=True)
class Measurement:
    what: str
    changed: int
    calls: Counter[str]
    least: int
    seconds: float
    left: int  # names that still differ afterwards

    @property
    def is_good(self) -> bool:
        return self.calls.total() <= self.least and not self.left


class Bench:
    """The parameters of two regions, equal except for the changed ones."""

    def __init__(self, endpoint: str, count: int) -> None:
        self.names = [f"{SCOPE.prefix}/{number:06}" for number in range(count)]
        self._calls: Counter[str] = Counter()
        self._clients = {region: _client(endpoint, region) for region in REGIONS.values()}
        for client in self._clients.values():
            client.meta.events.register("before-call", self._count)

    def fill(self) -> None:
        with ThreadPoolExecutor(4) as pool:
            for region in REGIONS.values():
                list(
                    pool.map(lambda name, region=region: self._put(region, name, "a value of some length"), self.names)
                )

    def change(self, count: int) -> None:
        """Change `count` of them, evenly spread, alternately in either region."""
        for number, name in enumerate(self.names[:: len(self.names) // count][:count]):
            self._put(list(REGIONS.values())[number % 2], name, f"changed {number}")

    def reconcile(self, what: str, changed: int) -> Measurement:
        reconciliation = self._reconciliation()
        with self._counted() as calls:
            began = time.monotonic()
            walk = reconciliation.repair(after="", is_due=lambda _: False, should_stop=lambda: False)
            seconds = time.monotonic() - began
        count = len(self.names)
        least = 2 * (1 + -(-count // PAGE) + -(-count // BATCH)) + CALLS_PER_COPY * changed
        left = reconciliation.compare(after="", should_stop=lambda: False)
        return Measurement(
            what=what, changed=changed, calls=calls, least=least, seconds=seconds, left=_unequal(walk, left)
        )

    def _put(self, region: str, name: str, value: str) -> None:
        self._clients[region].put_parameter(Name=name, Value=value, Type="String", Overwrite=True)

    def _reconciliation(self) -> Reconciliation:
        one, other = (
            Store(
                self._clients[region],
                region=region,
                place=place,
                scope=SCOPE,
                key_alias="alias/key-data-bench",
                is_sync_role=lambda _: False,
            )
            for place, region in REGIONS.items()
        )
        logger = Logger(service="bench", level="ERROR")
        budget = Budget(records=dict.fromkeys(REGIONS.values(), "/parameter-sync/bench/deletions"), now=time.time)
        return Reconciliation((one, other), Synchronizer((one, other)), logger, budget=budget)

    def _count(self, model: Any, **_: Any) -> None:
        self._calls[model.name] += 1

    @contextmanager
    def _counted(self) -> Iterator[Counter[str]]:
        before, counted = Counter(self._calls), Counter[str]()
        yield counted
        counted.update(self._calls - before)


def _unequal(*walks: Reconciled) -> int:
    return sum(len(walk.failures) + len(walk.later) + len(walk.differences) for walk in walks)


def _client(endpoint: str, region: str) -> Any:
    make: Any = boto3.client  # the stubs have one overload for each service
    config = Config(max_pool_connections=4, retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "embedded"}
    return make("ssm", region_name=region, endpoint_url=endpoint, config=config, **keys)


def main(
    count: Annotated[int, typer.Option(help="parameters in each region", min=20)] = 10_000,
    share: Annotated[float, typer.Option(help="share of them that is changed", min=0.001, max=1)] = 0.05,
) -> None:
    """Reconcile without changes, then with a share changed, on an embedded AWS started for the benchmark."""
    changed = round(count * share)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        launch.start(log_file=Path(folder) / "server.log", profile="control-plane") as server,
    ):
        bench = Bench(server.endpoint, count)
        console.print(f"creating {count} parameters in each of two regions")
        bench.fill()
        measured = [bench.reconcile("no changes", 0)]
        bench.change(changed)
        measured.append(bench.reconcile(f"{changed} changed", changed))
    console.print(_table(measured, count))
    for each in measured:
        console.print(f"{each.what}: {', '.join(f'{name} {number}' for name, number in each.calls.most_common())}")
    raise typer.Exit(0 if all(each.is_good for each in measured) else 1)


def _table(measured: list[Measurement], count: int) -> Table:
    table = Table(title=f"Reconciliation of {count} parameters", title_justify="left")
    table.add_column("")
    for name in ("API calls", "required", "s", "calls/s", "still differ", f"s at {STANDARD}/s"):
        table.add_column(name, justify="right")
    for each in measured:
        total = each.calls.total()
        figures = (total, each.least, each.seconds, total / each.seconds, each.left, total / len(REGIONS) / STANDARD)
        table.add_row(each.what, *(f"{figure:.0f}" for figure in figures))
    return table


if __name__ == "__main__":
    typer.run(main)
