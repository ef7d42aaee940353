"""Brings an environment home after a drill that was cut off: what the system did by itself is undone too.

A region that was taken away is fenced once the other one has taken over, and stays so until a failback. Healing it is
not enough, and no journal owes the failback: the sentinel began the failover, not the drill.
"""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from drill.model.errors import ActionError
from drill.preflight import control_records, functions
from shared.deployment import Deployment
from shared.places import Place

_LOOK_SECONDS = 0.5  # on this machine
_SETTLES_AWS_SECONDS = 60.0
"""A failover that a sentinel is about to begin begins within this (45 s by docs/architecture.md): it is waited for."""
_ENDS_AWS_SECONDS = 1800.0
_TRIES = 3


async def come_home(deployment: Deployment, *, settles_aws_seconds: float = _SETTLES_AWS_SECONDS) -> list[str]:
    """Wait for what is under way, then fail back to each fenced region; what was done. Raises ActionError."""
    done: list[str] = []
    await _quiet(deployment, settles_aws_seconds / deployment.speed)
    for place in await _asked(lambda: _fenced(deployment)):
        done.append(await _fail_back(deployment, place))
    return done


async def _fail_back(deployment: Deployment, place: Place) -> str:
    """It refuses while the region catches up, so it is asked again."""
    region = deployment.region(place)
    for _ in range(_TRIES):
        name = await _asked(lambda: _start(deployment, place))
        await _quiet(deployment, _LOOK_SECONDS)
        if place not in await _asked(lambda: _fenced(deployment)):
            return f"failed back to the {place} region by {name}"
        await asyncio.sleep(_SETTLES_AWS_SECONDS / 4 / deployment.speed)
    raise ActionError(f"{region} is still fenced after {_TRIES} failbacks; see the last one, {name}: make failback")


def _fenced(deployment: Deployment) -> list[Place]:
    return [place for place in Place if control_records.state(deployment, place).value != control_records.ACTIVE]


def _start(deployment: Deployment, place: Place) -> str:
    """In the region that is not fenced; the run's name."""
    name = f"drill-cleanup-{uuid.uuid4().hex[:12]}"
    request = {
        "region": deployment.region(place),
        "writer_region": deployment.region(Place.PRIMARY),
        "by": "drill cleanup",
        "reason": "a drill was cut off",
    }
    deployment.client("stepfunctions", place.other).start_execution(
        stateMachineArn=deployment.cell(place.other).compute.failback_arn, name=name, input=json.dumps(request)
    )
    return name


async def _quiet(deployment: Deployment, seconds: float) -> None:
    """Wait until no failover and no failback has been under way for `seconds`, on this machine."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _ENDS_AWS_SECONDS / deployment.speed
    quiet_since = loop.time()
    while loop.time() < deadline:
        under_way = await _asked(lambda: [each for place in Place for each in functions.running(deployment, place)])
        if under_way:
            quiet_since = loop.time()
        elif loop.time() - quiet_since >= seconds:
            return
        await asyncio.sleep(_LOOK_SECONDS)
    raise ActionError(f"{', '.join(under_way) or 'a workflow'} does not end; see it, then clean up again")


async def _asked(question: Callable[[], Any]) -> Any:
    try:
        return await asyncio.to_thread(question)
    except (BotoCoreError, ClientError) as error:
        raise ActionError(f"the environment cannot be brought home: {error}") from error
