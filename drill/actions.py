"""What a drill changes: faults, injected by the embedded AWS here and by other means in a real environment."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import httpx

from shared.places import Place


class OutageKind(StrEnum):
    """How a lost region fails: it answers errors, it closes connections, or it never answers."""

    ERROR = "error"
    RESET = "reset"
    HANG = "hang"


class ActionError(RuntimeError):
    """A change could not be made; whether it was is unknown."""


class FaultInjector(Protocol):
    """Takes regions away and brings them back."""

    async def lose(self, region: str, kind: OutageKind) -> None:
        """Raises ActionError."""

    async def heal(self, region: str) -> None:
        """Raises ActionError. Healing a healthy region changes nothing."""


class LocalFaults:
    """The outage switch of the embedded AWS, over its control API."""

    def __init__(self, client: httpx.AsyncClient, control: str) -> None:
        self._client, self._control = client, control

    async def lose(self, region: str, kind: OutageKind) -> None:
        await self._post("outage", {"region": region, "kind": kind.value})

    async def heal(self, region: str) -> None:
        await self._post("heal", {"region": region})

    async def _post(self, path: str, content: dict[str, str]) -> None:
        try:
            response = await self._client.post(f"{self._control}/{path}", json=content)
            response.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise ActionError(f"{path} of {content['region']} was refused: {error.response.text[:200]}") from error
        except httpx.HTTPError as error:
            raise ActionError(f"{path} of {content['region']} failed: {type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class Lose:
    """Take a region away, in the way the run was asked for."""

    place: Place

    @property
    def name(self) -> str:
        return f"take the {self.place} region away"


@dataclass(frozen=True)
class Heal:
    """Bring a region back."""

    place: Place

    @property
    def name(self) -> str:
        return f"bring the {self.place} region back"
