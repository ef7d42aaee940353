"""Faults between regions that live, over the control API: `POST /cut`, `/join`, `/blind`, `/unblind`."""

from collections.abc import Mapping
from typing import Any

from localaws.core.control import Control
from localaws.core.outages import Gate, OutageKind


class FaultApi:
    """A cut keeps functions of one region from the other's AWS and doors, and replication of every kind from passing;
    both still serve clients. A blind region's functions do not reach the other's doors, and that is all."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def install(self, control: Control) -> None:
        control.route("POST", "/cut", self._cut)
        control.route("POST", "/join", self._join)
        control.route("POST", "/blind", self._blind)
        control.route("POST", "/unblind", self._unblind)
        control.section("faults", lambda: {"cut": self._gate.cuts(), "blind": self._gate.blinded()})

    def _cut(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        one, other = _two(wanted)
        # By default as between networks that no longer know a way to each other: nobody answers.
        self._gate.cut(one, other, OutageKind(wanted.get("kind", OutageKind.HANG)))
        return {"between": [one, other]}

    def _join(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        one, other = _two(wanted)
        self._gate.join(one, other)
        return {"between": [one, other]}

    def _blind(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        self._gate.blind(str(wanted.get("region")))
        return {"region": wanted["region"]}

    def _unblind(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        self._gate.unblind(str(wanted.get("region")))
        return {"region": wanted["region"]}


def _two(wanted: Mapping[str, Any]) -> tuple[str, str]:
    """Raises ValueError."""
    pair = wanted.get("between")
    if not isinstance(pair, list) or len(pair) != 2:
        raise ValueError('name two regions: {"between": ["us-east-1", "us-east-2"]}')
    one, other = map(str, pair)
    return one, other
