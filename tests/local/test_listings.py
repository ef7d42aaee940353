"""Listings of the emulator that fail while what they list changes."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from localaws.emulator.logs import repeated


def test_a_listing_that_was_overtaken_is_repeated() -> None:
    streams = dict.fromkeys(range(3), "")
    changes: Iterator[int] = iter([1, 2])

    def listing() -> list[int]:
        found = []
        for number in streams:
            found.append(number)
            with suppress(StopIteration):
                streams[-next(changes)] = "added meanwhile"
        return found

    assert repeated(listing) == [0, 1, 2, -1, -2]


def test_a_listing_that_always_fails_ends() -> None:
    def listing() -> None:
        raise RuntimeError("dictionary changed size during iteration")

    with pytest.raises(RuntimeError, match="changed size"):
        repeated(listing)
