"""Changes that state machines make when a drill starts them."""

import asyncio
import json
import uuid
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from drill.model.change import Change, Surroundings
from drill.model.errors import ActionError
from shared.places import Place


@dataclass(frozen=True)
class StartFailover:
    """Ask the surviving region `times` at once to take over, as impatient people and a sentinel would."""

    place: Place  # that is lost
    times: int = 1

    @property
    def name(self) -> str:
        return f"ask for the failover {'twice at once' if self.times == 2 else f'{self.times} times at once'}"

    @property
    def undo(self) -> Change:
        return StartFailback(self.place)

    async def do(self, around: Surroundings) -> str:
        names = await asyncio.gather(
            *(asyncio.to_thread(_start, around, "failover", self.place) for _ in range(self.times))
        )
        return f"started {', '.join(names)}"


@dataclass(frozen=True)
class StartFailback:
    """Ask the surviving region to bring the other one back."""

    place: Place  # that comes back

    @property
    def name(self) -> str:
        return f"start the failback to the {self.place} region"

    @property
    def undo(self) -> None:
        return None

    async def do(self, around: Surroundings) -> str:
        return f"started {await asyncio.to_thread(_start, around, 'failback', self.place)}"


def _start(around: Surroundings, machine: str, place: Place) -> str:
    """Start a state machine of the region that is not `place`; the run's name. Raises ActionError."""
    name = f"drill-{machine}-{uuid.uuid4().hex[:12]}"
    request = {"region": around.region(place), "by": "drill"}
    try:
        around.site.client("stepfunctions", place.other).start_execution(
            stateMachineArn=around.site.machines[machine, place.other], name=name, input=json.dumps(request)
        )
    except (BotoCoreError, ClientError) as error:
        raise ActionError(f"the {machine} of {around.region(place)} could not be started: {error}") from error
    return name
