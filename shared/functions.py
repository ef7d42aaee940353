"""The Lambda functions of a region: the one catalogue that settings, outputs, alarms and drills derive from."""

from collections.abc import Mapping
from typing import Literal

Trigger = Literal["request", "stream", "event"]
"""The kind of invocation of a function: by a caller that waits, by a stream, or by an event that can be lost."""

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
