"""Synchronizes one parameter: reads both regions, merges, and writes the result where it is missing."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .errors import ConcurrentModification, NotCopyable, RetryAfter, Throttled
from .merge import Keep, LostChange, Remove, decide
from .parameter import MARKER_TAG, ParameterState, SyncMarker, digest, write_marker
from .store import Store

MAX_VALUE_BYTES = 8192
"""The largest value of an advanced parameter (API SSM.PutParameter, Tier)."""
# Other data types refer to an image or an integration of one region (API SSM.PutParameter, DataType).
COPYABLE = "text"
Permit = Callable[[Store], None]
"""Called before a deletion in the store's region; raises DeletionWithheld or RetryAfter if it is not to be made."""
SETTLING_SECONDS = 30
"""After a deletion, before the name can be created again (API SSM.DeleteParameter)."""
_ATTEMPTS = 4


class Action(StrEnum):
    """The action that made both regions equal."""

    NOTHING = "nothing"
    MARKED = "marked"  # was equal; only the markers were written
    COPIED = "copied"
    TAGGED = "tagged or labelled"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of synchronizing one parameter."""

    name: str
    action: Action
    source: str = ""  # region whose side won
    lost: LostChange | None = None
    revived: bool = False
    writes: int = 0  # versions written and deletions made


class Synchronizer:
    """Synchronizes parameters of two regions. `settling_seconds`: minimum age of a common state before a missing side
    counts as a deletion, so that an eventually consistent read deletes nothing. `now` returns Unix seconds."""

    def __init__(
        self,
        stores: tuple[Store, Store],
        *,
        settling_seconds: int = SETTLING_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._stores = stores
        self._settling = settling_seconds
        self._now = now

    def synchronize(self, name: str, *, permit: Permit, restore: bool = False) -> Outcome:
        """Make the parameter equal in both regions; `restore` as in `decide`. Raises NotCopyable, RetryAfter,
        DeletionWithheld, Throttled and RegionUnavailable."""
        reason = ""
        for _ in range(_ATTEMPTS):
            try:
                return self._attempt(name, permit, restore=restore)
            except ConcurrentModification as change:
                reason = str(change)
        raise Throttled(f"it keeps changing ({reason})")

    def plan(self, name: str) -> Keep | Remove | None:
        """The action that `synchronize` would take; None if the parameter exists in neither region."""
        one, other = (store.state(name) for store in self._stores)
        return decide(one, other)

    def _attempt(self, name: str, permit: Permit, *, restore: bool) -> Outcome:
        sides = tuple(store.state(name) for store in self._stores)
        verdict = decide(*sides, restore=restore)
        if verdict is None:
            return Outcome(name=name, action=Action.NOTHING)
        if isinstance(verdict, Keep):
            _check(verdict)
            if self._is_done(verdict, sides):
                return Outcome(name=name, action=Action.NOTHING, source=verdict.region)
        if isinstance(verdict, Remove):
            self._permit(sides, permit)
        # Each state took several reads. Unchanged versions since the first of them make the reads consistent.
        for store, held in zip(self._stores, sides, strict=True):
            if store.version(name) != (held.version if held else None):
                raise ConcurrentModification(f"{name} has changed in {store.region}")
        if isinstance(verdict, Remove):
            return self._remove(name, verdict)
        return self._keep(name, verdict, sides)

    def _is_done(self, verdict: Keep, sides: tuple[ParameterState | None, ...]) -> bool:
        return all(
            held is not None
            and verdict.content.is_held_by(held.content)
            and verdict.tags == held.tags
            and verdict.labels == held.labels
            and held.marker is not None
            and _undated(held.marker) == _undated(self._marker(verdict, held.version))
            for held in sides
        )

    def _permit(self, sides: tuple[ParameterState | None, ...], permit: Permit) -> None:
        for store, held in zip(self._stores, sides, strict=True):
            if held is None:
                continue
            common_since = max(held.at // 1000, held.marker.set_at if held.marker else 0)
            if (young := common_since + self._settling - self._now()) > 0:
                raise RetryAfter(
                    round(young) + 1, "it was created too recently to count as deleted in the other region"
                )
            permit(store)

    def _remove(self, name: str, verdict: Remove) -> Outcome:
        for store in self._stores:
            if store.region == verdict.region:
                store.delete(name)
            else:
                source = store.region
        return Outcome(name=name, action=Action.DELETED, source=source, writes=1)

    def _keep(self, name: str, verdict: Keep, sides: tuple[ParameterState | None, ...]) -> Outcome:
        writes, changed, marked = 0, False, False
        # The winning side is written last: its marker states that the other side has it, too.
        pairs = sorted(zip(self._stores, sides, strict=True), key=lambda pair: pair[0].region == verdict.region)
        for store, held in pairs:
            if held is None:
                store.create(name, verdict.content, verdict.tags, self._marker(verdict, 1))
                writes += 1
                if verdict.labels:
                    store.label(name, 1, add=verdict.labels, remove=frozenset())
                continue
            version = held.version
            if not verdict.content.is_held_by(held.content):
                version = self._overwrite(name, store, held, verdict)
                writes += 1
            described = _label(name, store, held, verdict, version)
            tagged, marked_here = self._tag(name, store, held, verdict, version)
            changed, marked = changed or described or tagged, marked or marked_here
        action = Action.COPIED if writes else Action.TAGGED if changed else Action.MARKED
        return Outcome(
            name=name,
            action=action,
            source=verdict.region,
            lost=verdict.lost,
            revived=verdict.revived,
            writes=writes,
        )

    def _overwrite(self, name: str, store: Store, held: ParameterState, verdict: Keep) -> int:
        if held.content.type != verdict.content.type:
            self._recreate(name, store, verdict)
        emptied = held.content.differences(verdict.content)
        version = store.overwrite(name, verdict.content, without=emptied)
        if version == 1:
            store.delete(name)  # it was deleted meanwhile, and overwriting a missing parameter creates one
        if version != held.version + 1:
            # Another write came between our read and our write. It is in the history, and our version has no marker:
            # the next attempt finds both.
            raise ConcurrentModification(f"version {version} of {name} in {store.region} came in between")
        return version

    def _recreate(self, name: str, store: Store, verdict: Keep) -> None:
        """A parameter's type cannot be changed (API SSM.PutParameter, HierarchyTypeMismatchException)."""
        for other in self._stores:
            if other.region == verdict.region:
                # Without its marker it will not count as deleted on this side.
                other.tag(name, {}, remove=[MARKER_TAG])
        store.delete(name)
        raise RetryAfter(self._settling, "it was deleted to be created again with its new type")

    def _tag(self, name: str, store: Store, held: ParameterState, verdict: Keep, version: int) -> tuple[bool, bool]:
        """Whether tags were changed, and whether the marker was."""
        add = {key: value for key, value in verdict.tags.items() if held.tags.get(key) != value}
        remove = [key for key in held.tags if key not in verdict.tags]
        marker = self._marker(verdict, version)
        stale = held.marker is None or _undated(held.marker) != _undated(marker)
        store.tag(name, {**add, **({MARKER_TAG: write_marker(marker)} if stale else {})}, remove=remove)
        return bool(add or remove), stale

    def _marker(self, verdict: Keep, version: int) -> SyncMarker:
        return SyncMarker(
            version=version,
            change=verdict.change,
            tags=digest(verdict.tags),
            labels=digest(verdict.labels),
            set_at=int(self._now()),
        )


def _label(name: str, store: Store, held: ParameterState, verdict: Keep, version: int) -> bool:
    """Whether labels were changed. A new version has none yet."""
    existing: frozenset[str] = held.labels if version == held.version else frozenset()
    add, remove = verdict.labels - existing, existing - verdict.labels
    store.label(name, version, add=add, remove=remove)
    return bool(add or remove)


def _undated(marker: SyncMarker) -> Mapping[str, object]:
    return {key: value for key, value in vars(marker).items() if key != "set_at"}


def _check(verdict: Keep) -> None:
    content = verdict.content
    if (size := len(content.value.encode())) > MAX_VALUE_BYTES:
        raise NotCopyable(f"its value has {size} bytes; the limit of Parameter Store is {MAX_VALUE_BYTES}")
    if content.data_type != COPYABLE:
        raise NotCopyable(f"its data type is {content.data_type}, which is only valid in its own region")
