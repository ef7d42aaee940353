"""Lambda's entry: `sentinel.handler.handler`, called by a schedule every minute."""

import functools
import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.aws_clients import AwsClients, Clients
from common.clock import Pace
from common.control.observe import Control
from common.control.witness import ask_witness
from common.health_endpoints import read_doors
from common.telemetry import flush, make_logger, make_metrics, traced

from .executions import StateMachines
from .probes import Prober
from .settings import Settings
from .watch import Surroundings, Watch

SERVICE = "sentinel"


def make_watch(settings: Settings) -> Watch:
    """A sentinel put together; making it calls nothing."""
    pace = Pace(speed=settings.clock_speed)
    aws = AwsClients(deadline_seconds=settings.api_timeout_seconds)
    around = Surroundings(
        control=Control.of(settings, Clients()),
        machines=StateMachines(
            aws.client("stepfunctions", settings.region),
            failover_arn=settings.failover_arn,
            failback_arn=settings.failback_arn,
            attempts=settings.attempts,
            pace=pace,
        ),
        ask_peers_witness=lambda: ask_witness(
            settings.peer_witness_name,
            server=settings.witness_resolver,
            timeout=settings.witness_timeout_ms / 1000,
        ),
        find_doors=lambda region: read_doors(aws.client("ssm", settings.region), settings.endpoints_prefix, region),
    )
    return Watch(
        settings=settings,
        around=around,
        prober=Prober(deadline_seconds=settings.probe_deadline),
        pace=pace,
        logger=make_logger(SERVICE),
        metrics=make_metrics(SERVICE, settings.metrics_namespace),
    )


@functools.cache
def _watch() -> Watch:
    return make_watch(Settings.read(os.environ))


def watch_once(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    watch = _watch()
    watch.logger.set_correlation_id(context.aws_request_id)
    try:
        return watch.run(lambda: context.get_remaining_time_in_millis() / 1000)
    finally:
        flush(watch.metrics)


handler = traced(watch_once, service=SERVICE)
