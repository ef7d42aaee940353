"""The lock that an interrupted run of the CLI leaves on its stack: recognised in the CLI's own message, and removed.

A self-managed backend names who holds it: `created by <user>@<host> (pid <number>) at <time>`. Pulumi Cloud answers
"Another update is currently in progress" and names nobody.
"""

import os
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from ops.rollout import pulumi_cli
from shared.command_line import Incomplete, confirm

_LOCKED = re.compile(r"the stack is currently locked by|Another update is currently in progress")
_HOLDER = re.compile(
    r"(?P<file>\S+): created by (?P<user>\S+)@(?P<host>\S+) \(pid (?P<process>\d+)\) at (?P<since>\S+)"
)


@dataclass(frozen=True, kw_only=True)
class Holder:
    file: str  # URL of the lock
    user: str
    host: str
    process: int
    since: str

    @property
    def has_ended(self) -> bool:
        """Whether its process is known to have ended. Only processes of this machine are known."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.process, 0)
        except OSError as error:
            return isinstance(error, ProcessLookupError)  # another user's process may not be asked, but lives
        return False

    def __str__(self) -> str:
        ended = ", which has ended" if self.has_ended else ""
        return f"process {self.process} of {self.user} on {self.host} since {self.since}{ended}"


@dataclass(frozen=True, kw_only=True)
class Lock:
    stack: str
    holders: Sequence[Holder] = ()  # none where the backend does not name them

    @classmethod
    def of(cls, stack: str, output: Sequence[str]) -> Self | None:
        """The lock that the lines of a failed run are about; None if they are about something else."""
        if not any(_LOCKED.search(line) for line in output):
            return None
        found = filter(None, map(_HOLDER.search, output))
        holders = [
            Holder(
                file=each["file"],
                user=each["user"],
                host=each["host"],
                process=int(each["process"]),
                since=each["since"],
            )
            for each in found
        ]
        return cls(stack=stack, holders=holders)

    @property
    def is_stale(self) -> bool:
        return bool(self.holders) and all(each.has_ended for each in self.holders)

    @property
    def is_on_this_machine(self) -> bool:
        """Whether nobody else shares the backend, so that what runs here is all that there is."""
        return all(each.file.startswith("file:") for each in self.holders)

    def __str__(self) -> str:
        held = " and ".join(map(str, self.holders)) or "another run, which the backend does not name"
        return f"{self.stack} is locked by {held}"


def remove_stale(locks: Sequence[Lock], environment: str, *, yes: bool) -> None:
    """Remove `locks` whose holders have ended. Raises Incomplete for any other, with the remedy.

    Asks a person first, unless `yes` and the backend is a folder of this machine: on a shared one, two machines may
    have the same name.
    """
    for lock in locks:
        remedy = f"pulumi cancel --yes --stack {environment} --cwd stacks/{lock.stack}"
        if not lock.is_stale:
            raise Incomplete(f"{lock}: wait for its end, or, if it has ended: {remedy}")
        confirm(f"{lock}. The lock is removed.", environment, yes=yes and lock.is_on_this_machine)
        pulumi_cli.output(lock.stack, ["cancel", "--yes", "--stack", environment])
