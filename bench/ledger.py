"""`python -m bench.ledger`: payments that the ledger posts per second, from one shard of the journal's stream.

The journal is filled while the mapping of the writer's ledger is off, and so is its scheduled replay: it would post
from the reader's backlog meanwhile. Measured is the time from switching the mapping on until all rows are in
PostgreSQL, and the CPU time of the whole embedded AWS meanwhile: other programs on the machine change it less. Exits
with 2 if an environment does not start, or its ledger posts something else than everything from the stream.
"""

import json
import signal
import statistics
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import boto3
import httpx
import psycopg2
import typer
from botocore.config import Config
from rich.console import Console
from rich.table import Table

from bench import journal
from bench.checkouts import Checkout, Environment, EnvironmentFailed
from bench.spending import Mark, Sampler, cores, others, per_payment

_ENVIRONMENT = "dev"
_WARM_UP = 200  # payments; they start the execution environments and create the table
_TIMEOUT = 600.0  # seconds of this machine for all rows
_POLL = 0.1
_PRIMARY = "primary"
_LEDGER = "Lambda ledger"
# Fields that UpdateSchedule sets to their defaults if they are left out.
_SCHEDULE = ("Name", "GroupName", "Description", "ScheduleExpression", "FlexibleTimeWindow", "KmsKeyArn", "Target")

console = Console()


@dataclass(frozen=True, kw_only=True)
class Posted:
    """One measurement. `each` is in CPU milliseconds for a payment, by kind of work."""

    factor: int
    payments: int
    seconds: float
    each: dict[str, float]
    cores: float  # that the embedded AWS used
    others: float  # cores that other processes on the machine used meanwhile

    @property
    def per_second(self) -> float:
        return self.payments / self.seconds

    @property
    def per_core(self) -> float:
        """Payments for a second of CPU time, of all processes of the embedded AWS."""
        return 1000 / sum(self.each.values())


class Ledger:
    """The journal and the ledger of a running environment, whichever checkout it is of. `table` is the journal's,
    `region` the primary one, whose ledger is the writer's."""

    def __init__(self, environment: Environment) -> None:
        content = json.loads(environment.file.read_bytes())
        outputs = self._outputs = content["outputs"]
        self._url = str(content["control"])
        self.table = str(outputs["global"]["journal_table"])
        self.region = str(outputs[_PRIMARY]["region"])
        self._endpoint, self._account = str(content["aws"]), str(content["account"])
        self._dynamodb, self._lambda = self._client("dynamodb"), self._client("lambda")
        secret = self._client("secretsmanager").get_secret_value(SecretId=outputs["global"]["database_secret_arn"])
        self._password = str(json.loads(secret["SecretString"])["password"])
        function = self._function = outputs[_PRIMARY]["compute"]["functions"]["ledger"]["name"]
        # Of several mappings, the ledger's own is the one of the journal.
        self._mapping = next(
            each["UUID"]
            for each in self._lambda.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
            if f":table/{self.table}/" in each["EventSourceArn"]
        )

    def switch(self, *, on: bool, factor: int | None = None) -> None:
        """Switch the mapping of the writer's ledger on or off."""
        parallel = {"ParallelizationFactor": factor} if factor else {}
        self._lambda.update_event_source_mapping(UUID=self._mapping, Enabled=on, **parallel)

    def stop_replays(self) -> None:
        """Disable the schedules of the writer's ledger, of which older checkouts have none."""
        client = self._client("scheduler")
        for page in client.get_paginator("list_schedules").paginate():
            for each in page["Schedules"]:
                if each["Target"]["Arn"].endswith(f":{self._function}"):
                    known = client.get_schedule(Name=each["Name"], GroupName=each["GroupName"])
                    kept = {name: known[name] for name in _SCHEDULE if name in known}
                    client.update_schedule(**kept, State="DISABLED")

    def fill(self, payments: int, run: str) -> float:
        """Write the payments to the journal; returns the seconds that took."""
        return journal.write(self._dynamodb, self.table, journal.items(payments, run=run, region=self.region))

    def wait(self, payments: int, run: str) -> float:
        """Wait until all payments of a run are in the ledger; returns the seconds. Raises EnvironmentFailed."""
        began = time.monotonic()
        while (rows := self.rows(run)) < payments:
            if time.monotonic() - began > _TIMEOUT:
                raise EnvironmentFailed(f"{rows} of {payments} payments are in the ledger after {_TIMEOUT:g} s")
            time.sleep(_POLL)
        return time.monotonic() - began

    def rows(self, run: str) -> int:
        """Payments of a run that are in the ledger."""
        databases = httpx.get(f"{self._url}/status", timeout=30).raise_for_status().json()["databases"]
        url = next(each["url"] for each in databases if each["role"] == "writer")
        try:
            with closing(psycopg2.connect(url, password=self._password)) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM ledger WHERE reference = %s", (run,))
                return sum(count for (count,) in cursor.fetchall())
        except psycopg2.errors.UndefinedTable:
            return 0  # the first payment creates it

    def control(self, path: str, content: Mapping[str, Any]) -> None:
        """POST to the control API. Raises httpx.HTTPError."""
        httpx.post(f"{self._url}/{path}", json=dict(content), timeout=60).raise_for_status()

    @contextmanager
    def without_database(self) -> Iterator[None]:
        """An outage of the Data API in the writer's region."""
        out = {"region": self.region, "service": "rds-data"}
        self.control("service", {**out, "fault": "error"})
        try:
            yield
        finally:
            self.control("service", {**out, "fault": None})

    def throttle(self, *, on: bool) -> None:
        """Throttle every invocation of the writer's ledger, or none."""
        if on:
            self._lambda.put_function_concurrency(FunctionName=self._function, ReservedConcurrentExecutions=0)
        else:
            self._lambda.delete_function_concurrency(FunctionName=self._function)

    def environment(self, probe: bytes) -> dict[str, str]:
        """The variables of an execution environment with the ledger's settings; `probe` is an archive whose
        `index.handler` returns them."""
        known = self._lambda.get_function_configuration(FunctionName=self._function)
        name = f"bench-{uuid.uuid4().hex[:8]}"
        self._lambda.create_function(
            FunctionName=name,
            Runtime=known["Runtime"],
            Role=known["Role"],
            Handler="index.handler",
            Code={"ZipFile": probe},
            Environment=known["Environment"],
        )
        try:
            found: dict[str, str] = json.load(self._lambda.invoke(FunctionName=name)["Payload"])
            return found
        finally:
            self._lambda.delete_function(FunctionName=name)

    def backlog(self, table: str, place: str = _PRIMARY) -> int:
        """Payments in the backlog table of a region."""
        client = self._client("dynamodb", str(self._outputs[place]["region"]))
        pages = client.get_paginator("scan").paginate(TableName=table)
        return sum(len(item["ids"]["L"]) for page in pages for item in page["Items"] if "ids" in item)

    def _client(self, service: str, region: str | None = None) -> Any:
        make: Any = boto3.client  # the stubs know one overload a service
        return make(
            service,
            region_name=region or self.region,
            endpoint_url=self._endpoint,
            aws_access_key_id=self._account,
            aws_secret_access_key="any",
            config=Config(read_timeout=60),
        )


def main(
    payments: Annotated[int, typer.Option(help="entries in the journal for each measurement", min=100)] = 3000,
    factor: Annotated[list[int] | None, typer.Option(help="ParallelizationFactor, 1 to 10; repeatable")] = None,
    speed: Annotated[float, typer.Option(help="AWS seconds per second", min=0.1, max=100)] = 6,
    runs: Annotated[int, typer.Option(help="runs of each checkout; medians are shown", min=1)] = 1,
    against: Annotated[Path | None, typer.Option(help="another checkout with its .venv, measured alternately")] = None,
) -> None:
    """Measure environments that are started for each run and stopped afterwards."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)  # so that the environment is stopped
    factors = factor or [1, 2, 4, 10]
    try:
        checkouts = [*([Checkout.at(against)] if against else []), Checkout.here()]
        measured: dict[str, list[Posted]] = {each.name: [] for each in checkouts}
        for _ in range(runs):
            for checkout in checkouts:
                measured[checkout.name] += _run(checkout, payments=payments, factors=factors, speed=speed)
    except EnvironmentFailed as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    console.print(table(measured, f"{payments} payments at speed {speed:g}, medians of {runs} runs"))


def _run(checkout: Checkout, *, payments: int, factors: Sequence[int], speed: float) -> list[Posted]:
    with checkout.running(environment=_ENVIRONMENT, speed=speed) as environment:
        ledger = Ledger(environment)
        ledger.stop_replays()
        sampler = Sampler(environment.process)
        sampler.start()
        try:
            made = []
            for number in factors:
                made.append(_measure(ledger, sampler, payments=payments, factor=number))
                console.print(f"{checkout.name}: {_line(made[-1])}", highlight=False, soft_wrap=True)
            return made
        finally:
            sampler.stop()


def _measure(ledger: Ledger, sampler: Sampler, *, payments: int, factor: int) -> Posted:
    run = uuid.uuid4().hex[:12]
    ledger.switch(on=True, factor=factor)
    ledger.fill(_WARM_UP, f"{run}-warm")
    ledger.wait(_WARM_UP, f"{run}-warm")
    ledger.switch(on=False)
    ledger.fill(payments, run)
    if early := ledger.rows(run):
        raise EnvironmentFailed(f"{early} of {payments} payments were in the ledger before its mapping was switched on")
    start = sampler.mark()
    ledger.switch(on=True)
    seconds = ledger.wait(payments, run)
    return result(start, sampler.mark(), factor=factor, payments=payments, seconds=seconds)


def result(start: Mark, end: Mark, *, factor: int, payments: int, seconds: float) -> Posted:
    """A measurement between two marks; the base load counts as part of the work, since it competes with it."""
    return Posted(
        factor=factor,
        payments=payments,
        seconds=seconds,
        each=per_payment(start, end, {}, payments),
        cores=sum(cores(start, end).values()),
        others=others(start, end),
    )


def _line(posted: Posted) -> str:
    kinds = ", ".join(f"{kind} {spent:.2f}" for kind, spent in sorted(posted.each.items()) if spent >= 0.01)
    return (
        f"factor {posted.factor}: {posted.payments} in {posted.seconds:.1f} s, {posted.per_second:.0f} per second, "
        f"{posted.per_core:.0f} for a second of CPU; CPU ms each: {kinds}; it used {posted.cores:.2f} cores, others "
        f"{posted.others:.2f}"
    )


def table(measured: Mapping[str, Sequence[Posted]], title: str) -> Table:
    """A row for each factor and checkout. The ratios are those to the first checkout's figures at the same factor."""
    made = Table(title=title, title_justify="left")
    made.add_column("factor", justify="right")
    made.add_column("checkout", overflow="fold")
    compared = len(measured) > 1
    for name in ("payments/s", "payments/CPU s", "ledger CPU ms", *(["ratio", "ratio/CPU s"] if compared else [])):
        made.add_column(name, justify="right")
    for factor in dict.fromkeys(each.factor for runs in measured.values() for each in runs):
        first: tuple[float, float] | None = None
        for name, runs in measured.items():
            row = [each for each in runs if each.factor == factor]
            rate, per_core = (
                statistics.median(each.per_second for each in row),
                statistics.median(each.per_core for each in row),
            )
            first = first or (rate, per_core)
            spent = statistics.median(each.each.get(_LEDGER, 0.0) for each in row)
            ratios = [f"{rate / first[0]:.2f}", f"{per_core / first[1]:.2f}"] if compared else []
            made.add_row(str(factor), name, f"{rate:.0f}", f"{per_core:.0f}", f"{spent:.2f}", *ratios)
    return made


if __name__ == "__main__":
    typer.run(main)
