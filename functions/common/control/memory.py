"""A cell's memory as one item of the global table. Only the cell itself writes it, so regions never conflict.

All functions of the cell share it. Each write replaces the revision that was read, so that no function overwrites what
it has not read: a chain of confirmations that one function found broken stays broken for the others.
"""

from typing import Any

from ..table_replica import KEY, Item, Replica
from .records import (
    WRITER_KEY,
    ControlRecords,
    RegionRecord,
    Regions,
    RegionState,
    WriterRecord,
    control_key,
    record_fields,
    records_of,
)
from .rules import Memory

_NEVER: Item = {"NULL": True}


def memory_key(region: str) -> str:
    """The partition key of a cell's memory."""
    return f"confirmed#{region}"


def memory_of(item: Item | None, regions: Regions) -> Memory | None:
    """The memory in `item`. None if it is missing or malformed: the cell then needs a new confirmation by its peer."""
    if item is None:
        return None
    try:
        return Memory(
            known=records_of({key: record["M"] for key, record in item["known"]["M"].items()}, regions),
            vouched_at=_moment(item["vouched_at"]),
            seen_at=float(item["seen_at"]["N"]),
            back_at=_moment(item["back_at"]),
            checked_at=_moment(item.get("checked_at", _NEVER)),
            revision=int(item["revision"]["N"]),
        )
    except (KeyError, ValueError):
        return None


def store_memory(replica: Replica, regions: Regions, memory: Memory) -> bool:
    """Replace the previous revision by `memory`. Returns whether it was still stored. Raises ReplicaUnavailable."""
    item: Item = {
        KEY: {"S": memory_key(regions.own)},
        "known": {"M": _known(memory.known, regions)},
        "vouched_at": _attribute(memory.vouched_at),
        "seen_at": {"N": repr(memory.seen_at)},
        "back_at": _attribute(memory.back_at),
        "checked_at": _attribute(memory.checked_at),
        "revision": {"N": str(memory.revision)},
    }
    if memory.revision > 1:
        return replica.exchange(item, unless_changed={"revision": {"N": str(memory.revision - 1)}})
    held = replica.add(item)
    if held is None:
        return True
    # A malformed item has no revision by which it could be replaced.
    return memory_of(held, regions) is None and replica.exchange(item, unless_changed={KEY: item[KEY]})


def _known(known: ControlRecords, regions: Regions) -> Item:
    states = {control_key(regions.own): known.own, control_key(regions.peer): known.peer}
    written: dict[str, RegionRecord | WriterRecord] = {
        key: record for key, record in states.items() if record.state is not RegionState.ABSENT
    }
    written[WRITER_KEY] = known.writer
    return {key: {"M": record_fields(record)} for key, record in written.items()}


def _attribute(moment: float | None) -> dict[str, Any]:
    return _NEVER if moment is None else {"N": repr(moment)}


def _moment(attribute: dict[str, Any]) -> float | None:
    return float(attribute["N"]) if "N" in attribute else None
