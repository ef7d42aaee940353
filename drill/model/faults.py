"""What makes faults: the embedded AWS's control API here, other means in a real environment."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

import httpx

from drill.model.errors import ActionError


class OutageKind(StrEnum):
    """How a lost region fails: it answers errors, it closes connections, or it never answers."""

    ERROR = "error"
    RESET = "reset"
    HANG = "hang"


class FaultInjector(Protocol):
    """Makes faults and takes them back. Every method raises ActionError; taking back what is not there does nothing."""

    async def lose(self, region: str, kind: OutageKind) -> None: ...

    async def heal(self, region: str) -> None: ...

    async def cut(self, first: str, second: str) -> None:
        """The regions no longer reach each other; the world outside reaches both."""

    async def join(self, first: str, second: str) -> None: ...

    async def blind(self, region: str) -> None:
        """What runs in the region no longer reaches the other region's front doors; everything else it does."""

    async def unblind(self, region: str) -> None: ...

    async def lose_database(self, region: str) -> None: ...

    async def restore_database(self, region: str) -> None: ...

    async def delay_replication(self, aws_seconds: float) -> None:
        """Let the database's reader fall this far behind."""

    async def end_delay(self) -> None: ...

    async def recycle_workers(self) -> None:
        """End the execution environments of all functions, so that each function's next call is a cold start."""


class LocalFaults:
    """The faults of the embedded AWS, over its control API."""

    def __init__(self, client: httpx.AsyncClient, control: str) -> None:
        self._client, self._control = client, control

    async def lose(self, region: str, kind: OutageKind) -> None:
        await self._post("outage", {"region": region, "kind": kind.value})

    async def heal(self, region: str) -> None:
        await self._post("heal", {"region": region})

    async def cut(self, first: str, second: str) -> None:
        await self._post("cut", {"between": [first, second]})

    async def join(self, first: str, second: str) -> None:
        await self._post("join", {"between": [first, second]})

    async def blind(self, region: str) -> None:
        await self._post("blind", {"region": region})

    async def unblind(self, region: str) -> None:
        await self._post("unblind", {"region": region})

    async def lose_database(self, region: str) -> None:
        await self._post("database", {"region": region, "fault": "down"})

    async def restore_database(self, region: str) -> None:
        await self._post("database", {"region": region, "fault": None})

    async def delay_replication(self, aws_seconds: float) -> None:
        await self._post("lag", {"seconds": aws_seconds})

    async def end_delay(self) -> None:
        await self._post("lag", {"seconds": None})

    async def recycle_workers(self) -> None:
        await self._post("workers/recycle", {})

    async def _post(self, path: str, content: Mapping[str, Any]) -> None:
        where = content.get("region") or " and ".join(content.get("between", ())) or "the database"
        try:
            response = await self._client.post(f"{self._control}/{path}", json=dict(content))
            response.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise ActionError(f"{path} of {where} was refused: {error.response.text[:200]}") from error
        except httpx.HTTPError as error:
            raise ActionError(f"{path} of {where} failed: {type(error).__name__}: {error}") from error
