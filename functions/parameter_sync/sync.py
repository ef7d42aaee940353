"""Makes both regions hold what was decided, one parameter at a time, and says what it did."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from . import parameter as stamps
from .errors import Busy, Moved, NotCopyable, NotYet
from .merge import Keep, Lost, Remove, decide
from .parameter import Held, Stamp, digest
from .store import Store

LARGEST = 8192
"""Bytes: the largest value of an advanced parameter (API SSM.PutParameter, Tier)."""
# Only its own region knows an image or an integration by such a value (API SSM.PutParameter, DataType).
COPYABLE = "text"
# After a deletion, before a parameter of that name is made again (API SSM.DeleteParameter).
SETTLING = 30
_LOOKS = 4


class Did(StrEnum):
    NOTHING = "nothing"
    MARKED = "marked"  # equal already; both sides now say so
    COPIED = "copied"
    DESCRIBED = "tagged or labelled"
    DELETED = "deleted"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    name: str
    did: Did
    source: str = ""  # region that had it right
    lost: Lost | None = None
    revived: bool = False
    writes: int = 0  # versions written and deletions made


class Copying:
    """`stores` are the two regions'. `settling_seconds` is how old a common state must be before one side's absence is
    taken for a deletion, so that a reading that lags behind its writing deletes nothing."""

    def __init__(
        self,
        stores: tuple[Store, Store],
        *,
        settling_seconds: int = SETTLING,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._stores = stores
        self._settling = settling_seconds
        self._now = now

    def look(self, name: str) -> Outcome:
        """Compare both sides of one parameter and make them equal. Raises NotCopyable, NotYet, Busy, and
        RegionUnavailable."""
        reason = ""
        for _ in range(_LOOKS):
            try:
                return self._look(name)
            except Moved as moved:
                reason = str(moved)
        raise Busy(f"it keeps changing ({reason})")

    def plan(self, name: str) -> Keep | Remove | None:
        """What `look` would bring about."""
        one, other = (store.held(name) for store in self._stores)
        return decide(one, other)

    def _look(self, name: str) -> Outcome:
        sides = tuple(store.held(name) for store in self._stores)
        verdict = decide(*sides)
        if verdict is None:
            return Outcome(name=name, did=Did.NOTHING)
        if isinstance(verdict, Keep):
            _refuse(verdict)
            if self._is_brought_about(verdict, sides):
                return Outcome(name=name, did=Did.NOTHING, source=verdict.region)
        # Four readings, at four moments. That no version has changed since the first of them makes them one.
        for store, held in zip(self._stores, sides, strict=True):
            if store.version(name) != (held.version if held else None):
                raise Moved(f"{name} has changed in {store.region}")
        if isinstance(verdict, Remove):
            return self._remove(name, verdict, sides)
        return self._bring_about(name, verdict, sides)

    def _is_brought_about(self, verdict: Keep, sides: tuple[Held | None, ...]) -> bool:
        return all(
            held is not None
            and verdict.content.is_held_by(held.content)
            and verdict.tags == held.tags
            and verdict.labels == held.labels
            and held.stamp is not None
            and _undated(held.stamp) == _undated(self._stamp(verdict, held.version))
            for held in sides
        )

    def _remove(self, name: str, verdict: Remove, sides: tuple[Held | None, ...]) -> Outcome:
        for store, held in zip(self._stores, sides, strict=True):
            if held is None:
                source = store.region
                continue
            common_since = max(held.at // 1000, held.stamp.set_at if held.stamp else 0)
            if (young := common_since + self._settling - self._now()) > 0:
                raise NotYet(round(young) + 1, "it was made too recently to be sure that it was deleted")
        for store in self._stores:
            if store.region == verdict.region:
                store.delete(name)
        return Outcome(name=name, did=Did.DELETED, source=source, writes=1)

    def _bring_about(self, name: str, verdict: Keep, sides: tuple[Held | None, ...]) -> Outcome:
        writes, changed, marked = 0, False, False
        # Whoever has it right comes last: its stamp says that the other side has it too.
        pairs = sorted(zip(self._stores, sides, strict=True), key=lambda pair: pair[0].region == verdict.region)
        for store, held in pairs:
            if held is None:
                store.create(name, verdict.content, verdict.tags, self._stamp(verdict, 1))
                writes += 1
                if verdict.labels:
                    store.label(name, 1, add=verdict.labels, remove=frozenset())
                continue
            version = held.version
            if not verdict.content.is_held_by(held.content):
                version = self._overwrite(name, store, held, verdict)
                writes += 1
            described = _label(name, store, held, verdict, version)
            tagged, stamped = self._tag(name, store, held, verdict, version)
            changed, marked = changed or described or tagged, marked or stamped
        did = Did.COPIED if writes else Did.DESCRIBED if changed else Did.MARKED
        return Outcome(
            name=name,
            did=did,
            source=verdict.region,
            lost=verdict.lost,
            revived=verdict.revived,
            writes=writes,
        )

    def _overwrite(self, name: str, store: Store, held: Held, verdict: Keep) -> int:
        if held.content.type != verdict.content.type:
            self._make_anew(name, store, verdict)
        emptied = held.content.differences(verdict.content)
        version = store.overwrite(name, verdict.content, without=emptied)
        if version == 1:
            store.delete(name)  # someone had deleted it, and writing over nothing makes a new one
        if version != held.version + 1:
            # Someone wrote between our reading and our writing. What they wrote is in the history, and ours is not
            # stamped: the next look finds both.
            raise Moved(f"version {version} of {name} in {store.region} came in between")
        return version

    def _make_anew(self, name: str, store: Store, verdict: Keep) -> None:
        """A parameter's type cannot be changed (API SSM.PutParameter, HierarchyTypeMismatchException)."""
        for other in self._stores:
            if other.region == verdict.region:
                # Without its stamp it will not be taken for one that was deleted on this side.
                other.tag(name, {}, remove=[stamps.TAG])
        store.delete(name)
        raise NotYet(self._settling, "it was deleted to be made anew with its other type")

    def _tag(self, name: str, store: Store, held: Held, verdict: Keep, version: int) -> tuple[bool, bool]:
        """Whether tags were changed, and whether the stamp was."""
        add = {key: value for key, value in verdict.tags.items() if held.tags.get(key) != value}
        remove = [key for key in held.tags if key not in verdict.tags]
        stamp = self._stamp(verdict, version)
        stale = held.stamp is None or _undated(held.stamp) != _undated(stamp)
        store.tag(name, {**add, **({stamps.TAG: stamps.write(stamp)} if stale else {})}, remove=remove)
        return bool(add or remove), stale

    def _stamp(self, verdict: Keep, version: int) -> Stamp:
        return Stamp(
            version=version,
            change=verdict.change,
            tags=digest(verdict.tags),
            labels=digest(verdict.labels),
            set_at=int(self._now()),
        )


def _label(name: str, store: Store, held: Held, verdict: Keep, version: int) -> bool:
    """A new version has no labels yet."""
    there: frozenset[str] = held.labels if version == held.version else frozenset()
    add, remove = verdict.labels - there, there - verdict.labels
    store.label(name, version, add=add, remove=remove)
    return bool(add or remove)


def _undated(stamp: Stamp) -> Mapping[str, object]:
    return {key: value for key, value in vars(stamp).items() if key != "set_at"}


def _refuse(verdict: Keep) -> None:
    content = verdict.content
    if (size := len(content.value.encode())) > LARGEST:
        raise NotCopyable(f"its value has {size} bytes, and Parameter Store takes {LARGEST}")
    if content.data_type != COPYABLE:
        raise NotCopyable(f"its data type is {content.data_type}, which means something in its own region only")
