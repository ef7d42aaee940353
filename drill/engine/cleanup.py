"""Restores an environment from a journal: what a run that died had changed is changed back, the last change first."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from drill.actions.events import StopListening
from drill.actions.faults import WAYS_BACK
from drill.actions.parameters import RemoveParameter
from drill.actions.poison import RemovePoison
from drill.actions.regions import BringBack, Unfence
from drill.actions.restore import DeleteRestored
from drill.actions.workflows import StartFailback
from drill.model.change import Surroundings, from_plain
from drill.model.errors import ActionError
from drill.runlog.entries import CleanedUp, WayBack
from drill.runlog.log import Journal, is_cut_off, pending_undos

_CHANGES = (RemovePoison, StartFailback, Unfence, BringBack, RemoveParameter, StopListening, DeleteRestored)
KNOWN: Mapping[str, type[Any]] = {**WAYS_BACK, **{kind.__name__: kind for kind in _CHANGES}}
"""Every change that takes another one back, by the name a journal has for it (a test holds that none is missing)."""

_ATTEMPTS = 4
_PAUSE_SECONDS = 0.5


class TakesBack(Protocol):
    """Carries an undo out."""

    async def __call__(self, undo: Mapping[str, Any]) -> str:
        """What was done, in a few words. Undoing what is undone already does no harm. Raises ActionError."""


class ComesHome(Protocol):
    """Undoes what the system did by itself while the drill ran."""

    async def __call__(self) -> list[str]:
        """What was done. Raises ActionError."""


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """What became of a run's undos, as sentences."""

    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        """Exit status."""
        return 3 if self.left else 0


class ThroughActions:
    """Carries an undo out as the run itself would have."""

    def __init__(self, around: Surroundings, *, makes_faults: bool) -> None:
        self._around = around
        self._makes_faults = makes_faults

    async def __call__(self, undo: Mapping[str, Any]) -> str:
        if undo["change"] in WAYS_BACK and not self._makes_faults:
            raise ActionError("only the embedded AWS makes such faults, and so only it takes them back")
        try:
            change = from_plain(KNOWN, undo)
        except (KeyError, TypeError, ValueError) as error:
            raise ActionError(f"this version does not know how to undo {dict(undo)}") from error
        said = await change.do(self._around)
        return f"{change.name}: {said}" if said else change.name


async def clean_up(
    folder: Path, take_back: TakesBack, come_home: ComesHome, *, pause_seconds: float = _PAUSE_SECONDS
) -> Cleaned:
    """Carry out what the run in `folder` owes, each undo on its own, and write each into its journal; after a run that
    was cut off, bring the environment home too.

    Raises JournalError when the journal is broken, or its run still goes on.
    """
    cleaned = Cleaned()
    with Journal.open(folder) as journal:
        for owed in pending_undos(journal.entries()):
            try:
                said = await _stubbornly(take_back, owed.undo, pause_seconds)
            except ActionError as error:
                cleaned.left.append(f"{owed.name}: {error}")
                journal.write(WayBack(action=owed.action, outcome="failed", detail=str(error), by="cleanup"))
            else:
                cleaned.done.append(said)
                journal.write(WayBack(action=owed.action, outcome="done", detail=said, by="cleanup"))
        if not cleaned.left and is_cut_off(journal.entries()):
            await _home(journal, come_home, cleaned)
    return cleaned


async def _home(journal: Journal, come_home: ComesHome, cleaned: Cleaned) -> None:
    try:
        cleaned.done.extend(await come_home())
    except ActionError as error:
        cleaned.left.append(str(error))
    else:
        journal.write(CleanedUp(done=tuple(cleaned.done)))


async def _stubbornly(take_back: TakesBack, undo: Mapping[str, Any], pause_seconds: float) -> str:
    for _ in range(_ATTEMPTS - 1):
        try:
            return await take_back(undo)
        except ActionError:
            await asyncio.sleep(pause_seconds)
    return await take_back(undo)
