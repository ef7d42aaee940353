"""The environments whose registered graph the rules look at: every committed profile, the defaults, and one with what
none of these has.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from localaws.engine import graph
from policy.rules.rows import Rows
from shared.local_aws import PROGRAMS
from tests.made_once import once

STACKS = Path(__file__).resolve().parents[2] / "stacks"
DEFAULTS = "test"  # has no file: the defaults of the settings' models apply


def _committed() -> set[str]:
    names = {path.name.split(".")[1] for path in STACKS.glob("*/Pulumi.*.yaml")}
    return names - {"example"}


COMMITTED = tuple(sorted(_committed()))
OPTIONS = "options"
ENVIRONMENTS = (*COMMITTED, DEFAULTS, OPTIONS)

_SHARED = {
    "network:nat": "none",
    "dns:zoneName": "pay.example.com",
    "dns:createZone": False,
    "database:engine": "aurora-mysql",
    "drill:faultInjection": True,
    "drill:regionSwitch": True,
}
_REGIONAL = {
    **_SHARED,
    "api:access": "api-key",
    "api:clientKeys": json.dumps({"shop": "k" * 40}),
    "alarms:email": "people@example.com",
    "waf:logs": True,
    "failover:approval": "manual",
}
_OVERRIDES = {
    OPTIONS: {
        "primary": _REGIONAL,
        "secondary": _REGIONAL,
        "global": _SHARED,
    }
}


def overrides(environment: str) -> dict[str, dict[str, Any]]:
    """Settings by stack, besides those of the environment's files."""
    return _OVERRIDES.get(environment, {})


@cache
def registered(environment: str) -> Rows:
    """The rows that the programs register there; made once in a test run. Not to be changed: see `changes`."""
    return once(f"graph-{environment}", lambda: _built(environment))


def _built(environment: str) -> Rows:
    rows = graph(environment, PROGRAMS, config_overrides=_OVERRIDES.get(environment))
    assert rows, "the programs registered nothing"
    return tuple(rows)
