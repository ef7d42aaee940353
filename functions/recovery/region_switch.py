"""Lambda's entry for the steps of a plan of ARC Region switch: `recovery.region_switch.handler`.

ARC calls a step's function in the region that is to take over, and calls it again until it succeeds. What the event
holds AWS does not say [ARC-1], so nobody looks at it: which step a function is, its environment tells, and all else the
control records do. A step that is called again finds what is done already.
"""

import functools
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from common.clock import timestamp
from common.control.records import RegionRecord, RegionState
from common.telemetry import make_logger, traced

from .context import Surroundings, make
from .database import wait_for_writer
from .errors import PeerSilent, RegionNotReady
from .fencing import fence, publish
from .models import (
    FenceInput,
    FenceOutput,
    NotifyInput,
    ProveInput,
    PublishInput,
    Replayed,
    ReplayInput,
    WriterInput,
    WriterOutput,
)
from .notifications import notify
from .proof import prove, replay
from .settings import Settings

SERVICE = "region-switch"
_LOOK_SECONDS = 2.0


class StepSettings(Settings):
    region_switch_step: Literal["fence", "prove"]


def leave(around: Surroundings) -> dict[str, Any]:
    """Fence the region that is left, before the database moves. Raises RegionNotReady, PeerSilent and EpochPassed."""
    records, peer = around.control.records(), around.settings.peer_region
    if records.own.state is RegionState.FENCED:
        raise RegionNotReady(
            f"{around.region} is fenced: bring it back with the failback, which moves the database too"
        )
    fenced = _fence(records.peer, around)
    if fenced.peer_knows_since is None:
        raise PeerSilent(f"{peer} could not be told ({fenced.peer}): it is lost, which is the failover's work")
    return fenced.model_dump(mode="json")


def take_over(around: Surroundings) -> dict[str, Any]:
    """After the database moved: name the own region the writer, post what is missing, and prove a payment.

    Raises RegionNotReady unless the other region is fenced, and what the operations raise.
    """
    records, own, peer = around.control.records(), around.region, around.settings.peer_region
    if records.peer.state is not RegionState.FENCED:
        raise RegionNotReady(f"{peer} is not fenced; let the plan's step that fences it come first")
    fenced = _fence(records.peer, around)
    name = f"region-switch-{peer}-{fenced.epoch}"
    _wait_for_writer(fenced, around)
    published = publish(PublishInput(writer_region=own, epoch=records.writer.epoch, by=name), around)
    replayed = _replay_all(records.peer.since, around)
    proof = prove(ProveInput(execution=name, writer_region=own), around)
    document = {
        "region": peer,
        "published": published.model_dump(mode="json"),
        "replay": replayed.model_dump(mode="json", exclude={"continuation"}),
        "proof": proof.model_dump(mode="json"),
    }
    notify(NotifyInput(machine="failover", execution=name, outcome="succeeded", document=document), around)
    return document


def _fence(peer: RegionRecord, around: Surroundings) -> FenceOutput:
    """A region that is fenced already stays so, and is told again."""
    given = FenceInput(region=around.settings.peer_region, epoch=peer.epoch, by=f"{SERVICE} in {around.region}")
    return fence(given, around)


def _wait_for_writer(fenced: FenceOutput, around: Surroundings) -> None:
    """Looks within one call, since the next one would not know for how long the other region has been silent. Raises
    WriterNotInTime."""
    began, looked = around.moment(), None
    while not (looked := _look_for_writer(fenced, began, looked, around)).ready:
        around.pace.sleep(_LOOK_SECONDS)


def _look_for_writer(
    fenced: FenceOutput, began: str, before: WriterOutput | None, around: Surroundings
) -> WriterOutput:
    given = WriterInput(
        region=around.region,
        lost=around.settings.peer_region,
        since=began,
        peer_knows_since=fenced.peer_knows_since,
        down_since=before.down_since if before else None,
        down_at=before.down_at if before else None,
    )
    return wait_for_writer(given, around)


def _replay_all(fenced_at: str, around: Surroundings) -> Replayed:
    """Every payment since a while before the fence, until the ledger has looked at all of them."""
    window = timedelta(seconds=around.pace.real(around.settings.replay_window_seconds))
    since, continuation = timestamp(datetime.fromisoformat(fenced_at) - window), None
    while True:
        asked = ReplayInput(writer_region=around.region, since=since, continuation=continuation)
        found = replay(asked, around)
        if found.done:
            return found
        continuation = found.continuation


STEPS: Mapping[str, Callable[[Surroundings], dict[str, Any]]] = {"fence": leave, "prove": take_over}


@functools.cache
def _made() -> tuple[str, Surroundings, Logger]:
    settings = StepSettings.read(os.environ)
    return settings.region_switch_step, make(settings), make_logger(SERVICE)


def step(_: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    name, around, logger = _made()
    logger.set_correlation_id(context.aws_request_id)
    try:
        answer = STEPS[name](around)
    except Exception as error:
        logger.error("step failed", event="step-failed", step=name, error=type(error).__name__, why=str(error))
        raise
    logger.info("step done", event="step-done", step=name, answer=answer)
    return answer


handler = traced(step, service=SERVICE)
