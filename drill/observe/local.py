"""The observer of the embedded AWS: its control API, the databases behind it, and the stack programs."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import TypeAdapter, ValidationError

from drill.model.attempts import Intent
from drill.model.errors import ProbeError
from drill.model.status import ControlCall, Row, Status
from drill.observe import journal, sentinel_log
from drill.observe.ledger import LedgerReader
from drill.observe.observer import Journals, Ledgers
from drill.observe.sentinel_log import Decision
from shared.deployment import Deployment
from shared.places import Place


async def status(client: httpx.AsyncClient, control: str) -> Status:
    """The control API's view. Raises ProbeError when it does not answer as promised."""
    try:
        response = await client.get(f"{control}/status")
        response.raise_for_status()
        return Status.model_validate_json(response.content)
    except (httpx.HTTPError, ValidationError) as error:
        raise ProbeError(f"the control API's status cannot be read: {type(error).__name__}: {error}") from error


_CALLS: TypeAdapter[list[ControlCall]] = TypeAdapter(list[ControlCall])
_REDEPLOY_SECONDS = 600.0  # by the Pulumi CLI on a slow machine, beside the load

_LOG_AWS_SECONDS = 75.0
"""A sentinel's run lasts up to 55 s, and its lines are there once it has ended."""


class LocalObserver:
    """Observes the embedded AWS by its control API and by SQL. References of this run's payments begin with `prefix`;
    `redeploy` is the command that runs the stack programs again and prints what that changed."""

    def __init__(
        self, client: httpx.AsyncClient, deployment: Deployment, *, control: str, prefix: str, redeploy: Sequence[str]
    ) -> None:
        self._client, self._control = client, control
        self._deployment, self._prefix = deployment, prefix
        self._redeploy = list(redeploy)
        self._password: str | None = None

    async def status(self) -> Status:
        return await status(self._client, self._control)

    async def posted(self, status: Status) -> int:
        writer = status.writer
        if writer is None or writer.url is None or not writer.running:
            raise ProbeError("there is no writer")
        return await asyncio.to_thread(lambda: self._reader(str(writer.url)).count(self._prefix))

    async def rows(self, status: Status, region: str) -> dict[str, Row]:
        return await asyncio.to_thread(self._rows, status, region)

    async def ledgers(self) -> tuple[Ledgers, list[str]]:
        """Nothing where the environment has no database, which a scenario that needs one finds out before it begins."""
        found: dict[str, dict[str, Row]] = {}
        trouble: list[str] = []
        status = await self.status()
        for region in self._deployment.regions.values() if status.databases else ():
            try:
                found[region] = await self.rows(status, region)
            except ProbeError as error:
                found[region] = {}
                trouble.append(str(error))
        return found, trouble

    async def journals(self, _intents: Sequence[Intent]) -> Journals:
        return await asyncio.to_thread(
            journal.read_each, self._deployment, lambda client, table: journal.read_journal(client, table)
        )

    async def decisions(self, *, since: float, until: float, watcher: Place | None) -> Sequence[Decision]:
        found: list[Decision] = []
        for place in Place:
            timeout = _LOG_AWS_SECONDS / self._deployment.speed if place is watcher else 0.0
            found += await asyncio.to_thread(
                sentinel_log.wait_for_decisions, self._deployment, place, since=since, until=until, timeout=timeout
            )
        return sentinel_log.condensed(sorted(found, key=lambda each: each.region))

    async def mark_calls(self) -> None:
        try:
            (await self._client.post(f"{self._control}/calls/mark", json={})).raise_for_status()
        except httpx.HTTPError as error:
            raise ProbeError(f"calls cannot be counted: {type(error).__name__}: {error}") from error

    async def calls(self) -> list[ControlCall]:
        try:
            answer = await self._client.get(f"{self._control}/calls")
            answer.raise_for_status()
            counted = _CALLS.validate_python(answer.json()["calls"])
            return [call for call in counted if call.is_ours and call.plane == "control"]
        except (httpx.HTTPError, ValidationError, ValueError, KeyError) as error:
            raise ProbeError(f"counted calls cannot be read: {type(error).__name__}: {error}") from error

    async def second_run(self) -> dict[str, list[str]]:
        process = await asyncio.create_subprocess_exec(
            *self._redeploy, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(_REDEPLOY_SECONDS):
                stdout, stderr = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        try:
            return {stack: _changes(made) for stack, made in json.loads(stdout)["stacks"].items()}
        except (ValueError, LookupError, AttributeError) as error:
            last = " / ".join((stdout + stderr).decode(errors="replace").strip().splitlines()[-3:])
            raise ProbeError(f"the stack programs could not be run again: {last}") from error

    def _rows(self, status: Status, region: str) -> dict[str, Row]:
        member = next((each for each in status.databases if each.region == region), None)
        if member is None or member.url is None:
            raise ProbeError(f"there is no database in {region}")
        return self._reader(member.url).rows()

    def _reader(self, url: str) -> LedgerReader:
        if self._password is None:
            self._password = self._find_password()
        return LedgerReader(url, self._password)

    def _find_password(self) -> str:
        try:
            found = self._deployment.client("secretsmanager", Place.PRIMARY).get_secret_value(
                SecretId=self._deployment.global_outputs.database_secret_arn
            )
            return str(json.loads(found["SecretString"])["password"])
        except (BotoCoreError, ClientError) as error:
            raise ProbeError(f"the database's password cannot be read: {error}") from error


def _changes(made: Mapping[str, Any]) -> list[str]:
    """The changes of one stack, which the command lists by kind."""
    return [f"{kind}: {each}" for kind, changes in made.items() if isinstance(changes, list) for each in changes]
