"""The Lambda functions of a region: the one catalogue that settings, outputs, alarms and drills derive from."""

from collections.abc import Mapping
from typing import Literal

Trigger = Literal["request", "stream", "event"]
"""What invokes a function: a caller that waits, a stream that it can fall behind, or an event that it can lose."""

FUNCTIONS: Mapping[str, Trigger] = {
    "payments": "request",
    "health": "request",
    "ledger": "stream",
    "announcer": "event",
    "recovery": "request",
    "sentinel": "event",
    "parameter_sync": "event",
}
"""Every function that a region always has, by name. The source is `functions/<name>`, except that of `payments`, which
is the workload's (`workload:source`), and that of `announcer`, which is `functions/ledger`."""
