"""Lambda handler `recovery.region_switch.handler`: the Lambda steps of an ARC Region switch plan.

ARC invokes a step's function in the region that takes over, and again until it succeeds. The content of its event is
undocumented [ARC-1] and not used: the environment names the step, and the control records hold everything else. Steps
are idempotent.
"""

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from common.control.records import RegionRecord, RegionState
from common.telemetry import make_logger, traced

from .context import RecoveryContext, make_context
from .database import describe_writer
from .errors import PeerUnreachable, RegionNotReady, ServiceUnavailable
from .fencing import fence, publish, publish_parameter
from .ledger_replay import replay
from .models import (
    FenceInput,
    FenceOutput,
    Model,
    NotifyInput,
    ParameterInput,
    PublishInput,
    ReplayInput,
    VerifyInput,
    WriterInput,
    WriterOutput,
)
from .notifications import notify
from .settings import Settings
from .verification import verify_payment

SERVICE = "region-switch"
_POLL_SECONDS = 2.0
_REPLAY_SECONDS = 60.0  # AWS seconds


class StepSettings(Settings):
    """Settings of the recovery function, and which step it is."""

    region_switch_step: Literal["fence", "prove"]


def fence_peer(ctx: RecoveryContext) -> dict[str, Any]:
    """Fence the region that gives up the writer, before the database moves.

    Raises RegionNotReady, PeerUnreachable and EpochConflict.
    """
    records, peer = ctx.control.records(), ctx.settings.peer_region
    if records.own.state is RegionState.FENCED:
        raise RegionNotReady(f"{ctx.region} is fenced: run a failback, which moves the database as well")
    fenced = _fence(records.peer, ctx)
    if fenced.peer_fenced_since is None:
        raise PeerUnreachable(f"{peer} does not hold the fence ({fenced.peer}): for a lost region use the failover")
    return fenced.model_dump(mode="json")


def take_over(ctx: RecoveryContext) -> dict[str, Any]:
    """After the database moved: publish the own region as the writer, replay the backlogs, and verify a payment. Then
    publish the writer's parameter and notify, neither of which fails the step.

    A replay that takes longer than `_REPLAY_SECONDS` is finished by the ledger's schedule.

    Raises RegionNotReady unless the other region is fenced, and the errors of the operations.
    """
    records, own, peer = ctx.control.records(), ctx.region, ctx.settings.peer_region
    if records.peer.state is not RegionState.FENCED:
        raise RegionNotReady(f"{peer} is not fenced; run the plan's step that fences it first")
    fenced = _fence(records.peer, ctx)
    name = f"region-switch-{peer}-{fenced.epoch}"
    _wait_for_writer(fenced, ctx)
    published = publish(PublishInput(writer_region=own, epoch=records.writer.epoch, by=name), ctx)
    replayed = replay(ReplayInput(writer_region=own, seconds=_REPLAY_SECONDS), ctx)
    verified = verify_payment(VerifyInput(execution=name, writer_region=own), ctx)
    document = {
        "region": peer,
        "published": published.model_dump(mode="json"),
        "replay": replayed.model_dump(mode="json", exclude={"continuation"}),
        "verification": verified.model_dump(mode="json"),
        "parameter": _optional(lambda: publish_parameter(ParameterInput(writer_region=own), ctx)),
    }
    notice = NotifyInput(machine="failover", execution=name, outcome="succeeded", document=document)
    return {**document, "notification": _optional(lambda: notify(notice, ctx))}


def _optional(call: Callable[[], Model]) -> dict[str, Any]:
    """The result of a call, or why it failed, which the step's log line shows. What has been proven stays so."""
    try:
        return call().model_dump(mode="json")
    except ServiceUnavailable as error:
        return {"failure": str(error)}


def _fence(peer: RegionRecord, ctx: RecoveryContext) -> FenceOutput:
    """Idempotent; brings the region's own replica in sync if it was behind."""
    request = FenceInput(region=ctx.settings.peer_region, epoch=peer.epoch, by=f"{SERVICE} in {ctx.region}")
    return fence(request, ctx)


def _wait_for_writer(fenced: FenceOutput, ctx: RecoveryContext) -> None:
    """Poll within one invocation, because the next one would not know for how long the other region has been down.
    Raises WriterTimeout."""
    began, polled = ctx.now(), None
    while not (polled := _poll_writer(fenced, began, polled, ctx)).ready:
        ctx.pace.sleep(_POLL_SECONDS)


def _poll_writer(fenced: FenceOutput, began: str, before: WriterOutput | None, ctx: RecoveryContext) -> WriterOutput:
    request = WriterInput(
        region=ctx.region,
        lost=ctx.settings.peer_region,
        since=began,
        fenced_at=fenced.at,
        peer_fenced_since=fenced.peer_fenced_since,
        down_since=before.down_since if before else None,
        down_at=before.down_at if before else None,
    )
    return describe_writer(request, ctx)


STEPS: Mapping[str, Callable[[RecoveryContext], dict[str, Any]]] = {"fence": fence_peer, "prove": take_over}


@functools.cache
def _cached() -> tuple[str, RecoveryContext, Logger]:
    settings = StepSettings.read(os.environ)
    return settings.region_switch_step, make_context(settings), make_logger(SERVICE)


def step(_: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    name, ctx, logger = _cached()
    logger.set_correlation_id(context.aws_request_id)
    try:
        result = STEPS[name](ctx)
    except Exception as error:
        logger.error("step failed", event="step-failed", step=name, error=type(error).__name__, reason=str(error))
        raise
    logger.info("step done", event="step-done", step=name, result=result)
    return result


handler = traced(step, service=SERVICE)
