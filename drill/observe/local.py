"""How a rehearsal looks at the embedded AWS: its control API, the databases behind it, and the stack programs."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import TypeAdapter, ValidationError

from drill.model.control_plane_calls import ControlCall
from drill.model.errors import ProbeError
from drill.model.ledger_row import Row
from drill.model.status import Status
from drill.model.target import Site
from drill.observe.ledger import LedgerReader
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
_AGAIN_SECONDS = 120.0


class LocalWatch:
    """`prefix` is what the references of this run's payments begin with; `again` is the command that runs the stack
    programs once more and prints what that changed."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        control: str,
        *,
        site: Site,
        secret: str,
        prefix: str,
        again: Sequence[str],
    ) -> None:
        self._client, self._control = client, control
        self._site, self._secret, self._prefix = site, secret, prefix
        self._again = list(again)
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

    async def second_run(self) -> dict[str, int]:
        process = await asyncio.create_subprocess_exec(
            *self._again, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(_AGAIN_SECONDS):
                said, complaints = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        try:
            return {stack: _changes(told) for stack, told in json.loads(said)["stacks"].items()}
        except (ValueError, LookupError, AttributeError) as error:
            last = " / ".join((said + complaints).decode(errors="replace").strip().splitlines()[-3:])
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
            found = self._site.client("secretsmanager", Place.PRIMARY).get_secret_value(SecretId=self._secret)
            return str(json.loads(found["SecretString"])["password"])
        except (BotoCoreError, ClientError) as error:
            raise ProbeError(f"the database's password cannot be read: {error}") from error


def _changes(told: Mapping[str, Any]) -> int:
    """Of one stack, which names what was created, updated, replaced and deleted."""
    return sum(len(told.get(kind, ())) for kind in ("created", "updated", "replaced", "deleted"))
