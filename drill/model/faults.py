"""Fault injection: what a drill can break, and the control API of the embedded AWS, which breaks it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

import httpx

from drill.model.errors import ActionError


class OutageMode(StrEnum):
    """The way a lost region or service fails: it returns errors, resets connections, or never responds."""

    ERROR = "error"
    RESET = "reset"
    HANG = "hang"


class Effect(StrEnum):
    """The effect of a fault while it lasts."""

    REGION_OUTAGE = "region-outage"
    PARTITION = "partition"  # the regions cannot reach each other; clients reach both
    SENTINEL_ISOLATION = "sentinel-isolation"  # a region's functions cannot reach the other region's endpoints
    DATABASE_OUTAGE = "database-outage"
    REPLICA_LAG = "replica-lag"
    SERVICE_OUTAGE = "service-outage"  # one AWS service of a region; everything else there works
    NARROW_CONCURRENCY = "narrow-concurrency"  # a region's functions have few executions; traffic fits into them
    GRAY_FAILURE = "gray-failure"  # a share of the responses of a region's endpoints is lost


class FaultInjector(Protocol):
    """Injects faults and ends them. Every method raises ActionError; ending a fault that is not there does nothing."""

    async def inject(
        self,
        effect: Effect,
        regions: Sequence[str],
        *,
        mode: OutageMode,
        aws_seconds: float = 0.0,
        service: str = "",
        amount: float = 0.0,
    ) -> None:
        """`mode` is for outages of regions and services, `aws_seconds` for the lag of a replica, `amount` for the
        executions of a narrowed pool or the share of lost responses."""

    async def recover(self, effect: Effect, regions: Sequence[str], *, service: str = "") -> None: ...

    async def recycle_workers(self) -> None:
        """End the execution environments of all functions, so that each function's next call is a cold start."""


class LocalFaults:
    """The faults of the embedded AWS, over its control API."""

    def __init__(self, client: httpx.AsyncClient, control: str) -> None:
        self._client, self._control = client, control

    async def inject(
        self,
        effect: Effect,
        regions: Sequence[str],
        *,
        mode: OutageMode,
        aws_seconds: float = 0.0,
        service: str = "",
        amount: float = 0.0,
    ) -> None:
        match effect:
            case Effect.REGION_OUTAGE:
                await self._post("outage", {"region": regions[0], "kind": mode.value})
            case Effect.PARTITION:
                await self._post("partition", {"between": list(regions)})
            case Effect.SENTINEL_ISOLATION:
                await self._post("isolate-functions", {"region": regions[0]})
            case Effect.DATABASE_OUTAGE:
                await self._post("database", {"region": regions[0], "fault": "down"})
            case Effect.REPLICA_LAG:
                await self._post("lag", {"seconds": aws_seconds})
            case Effect.SERVICE_OUTAGE:
                for region in regions:
                    await self._post("service", {"region": region, "service": service, "fault": mode.value})
            case Effect.NARROW_CONCURRENCY:
                await self._post("concurrency", {"region": regions[0], "most": round(amount)})
            case Effect.GRAY_FAILURE:
                await self._post("degrade", {"region": regions[0], "share": amount})

    async def recover(self, effect: Effect, regions: Sequence[str], *, service: str = "") -> None:
        match effect:
            case Effect.REGION_OUTAGE:
                await self._post("recover", {"region": regions[0]})
            case Effect.PARTITION:
                await self._post("heal-partition", {"between": list(regions)})
            case Effect.SENTINEL_ISOLATION:
                await self._post("reconnect-functions", {"region": regions[0]})
            case Effect.DATABASE_OUTAGE:
                await self._post("database", {"region": regions[0], "fault": None})
            case Effect.REPLICA_LAG:
                await self._post("lag", {"seconds": None})
            case Effect.SERVICE_OUTAGE:
                for region in regions:
                    await self._post("service", {"region": region, "service": service, "fault": None})
            case Effect.NARROW_CONCURRENCY:
                await self._post("concurrency", {"region": regions[0], "most": None})
            case Effect.GRAY_FAILURE:
                await self._post("degrade", {"region": regions[0], "share": 0})

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
