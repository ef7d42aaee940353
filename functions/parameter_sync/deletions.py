"""The brake on mass deletion: bounds how many parameters are deleted because the other region lacks them.

A region that lacks many parameters has more likely been emptied by mistake than tidied up, and a deletion destroys the
parameter's history as well. Two limits apply, both of `most_deletions`: to the parameters that only one region has at
the time, and to the deletions in a region within `WINDOW`, since a slow deletion of a whole tree leaves few of them at
any one time.
"""

import json
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass

from .errors import DeletionWithheld
from .store import Store

WINDOW = 3600
"""Seconds in which `most_deletions` may be made in a region."""
_LEAST = 10
_ONE_IN = 20  # 5 %


def most_deletions(names: int) -> int:
    """The number of deletions that need no explicit allowance, for `names` parameters in both regions together."""
    return max(_LEAST, names // _ONE_IN)


class Budget:
    """Counts deletions in a region, in a parameter of that region (`records`, by region): its version counts the
    deletions of all functions, since PutParameter returns a different version to each. Its value holds the window's
    beginning (Unix seconds) and the version before it. `now` returns Unix seconds."""

    def __init__(self, *, records: Mapping[str, str], now: Callable[[], float]) -> None:
        self._records = records
        self._now = now

    def spend(self, store: Store, most: int) -> None:
        """Count one deletion. Raises DeletionWithheld if `most` have been made in the window."""
        record = self._records[store.region]
        version, text = store.values([record]).get(record, (0, ""))
        since, base = _window(text)
        now = int(self._now())
        if now >= since + WINDOW or base > version:  # over, or the record was deleted
            since, base = now, version
        if version - base < most:
            spent = store.write_text(record, json.dumps({"since": since, "base": base})) - base
            if spent <= most:
                return
        raise DeletionWithheld(f"{most} parameters were deleted in {store.region} within {WINDOW // 60} minutes")


def _window(text: str) -> tuple[int, int]:
    """Beginning and version before it; (0, 0), which is over, if the record is missing or malformed."""
    try:
        window = json.loads(text)
        return int(window["since"]), int(window["base"])
    except (ValueError, KeyError, TypeError):
        return 0, 0


@dataclass(kw_only=True)
class Brake:
    """Both limits, for two trees as they were listed. `missing`: parameters that only one region has, whether deleted
    in the other or not copied to it yet. `budget`: None if an operator allowed `most` deletions."""

    missing: int
    most: int
    budget: Budget | None
    is_spent: bool = False

    def permit(self, store: Store) -> None:
        """Permit a deletion in the store's region. Raises DeletionWithheld."""
        if self.missing > self.most:
            raise DeletionWithheld(f"{self.missing} parameters are missing in one region, more than {self.most}")
        if self.budget is None:
            return
        try:
            self.budget.spend(store, self.most)
        except DeletionWithheld:
            self.is_spent = True
            raise

    def holds(self, withheld: int, *, unknown: int = 0) -> bool:
        """Whether an operator has to decide on `withheld` deletions, besides which `unknown` parameters are missing in
        one region. Otherwise many were missing only because they had not been copied yet."""
        return self.is_spent or (withheld > 0 and withheld + unknown > self.most)


def brake(one: Set[str], other: Set[str], *, budget: Budget, allowed: int | None) -> Brake:
    """For trees of these names. `allowed`: deletions that an operator allows instead of `most_deletions`."""
    missing = len(one ^ other)
    if allowed is not None:
        return Brake(missing=missing, most=allowed, budget=None)
    return Brake(missing=missing, most=most_deletions(len(one | other)), budget=budget)
