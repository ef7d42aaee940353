"""Lambda handler `sentinel.handler.handler`, invoked by a schedule every minute."""

import functools
import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.aws_clients import AwsClients, DynamoDbClients
from common.clock import Pace
from common.control.observe import ControlObserver
from common.control.witness import query_witness
from common.endpoint_directory import EndpointDirectory
from common.table_replica import Replica
from common.telemetry import flush, make_logger, make_metrics, traced

from .executions import StateMachines
from .loop import SentinelContext, SentinelLoop
from .probes import Prober
from .settings import Settings

SERVICE = "sentinel"


def make_loop(settings: Settings) -> SentinelLoop:
    """The loop of `settings`. Creating it makes no call."""
    pace = Pace(speed=settings.clock_speed)
    aws = AwsClients(deadline_seconds=settings.api_timeout_seconds)
    tables = DynamoDbClients()
    logger = make_logger(SERVICE)
    ctx = SentinelContext(
        control=ControlObserver.from_settings(settings, tables),
        machines=StateMachines(
            aws.client("stepfunctions", settings.region),
            failover_arn=settings.failover_arn,
            failback_arn=settings.failback_arn,
            pace=pace,
        ),
        query_peer_witness=lambda: query_witness(
            settings.peer_witness_name,
            server=settings.witness_resolver,
            timeout_seconds=settings.witness_timeout_ms / 1000,
        ),
        endpoints=EndpointDirectory(
            lambda: aws.client("ssm", settings.region),
            prefix=settings.endpoints_prefix,
            local=Replica(
                tables.dynamodb(settings.region, timeout_seconds=settings.local_timeout_ms / 1000),
                region=settings.region,
                table=settings.journal_table,
            ),
            warn=lambda event, **fields: logger.warning(
                "endpoint addresses cannot be read or kept; earlier ones are used", event=event, **fields
            ),
            keeps=True,
        ),
    )
    return SentinelLoop(
        settings=settings,
        ctx=ctx,
        prober=Prober(deadline_seconds=settings.probe_deadline),
        pace=pace,
        logger=logger,
        metrics=make_metrics(SERVICE, settings.metrics_namespace),
    )


@functools.cache
def _loop() -> SentinelLoop:
    return make_loop(Settings.read(os.environ))


def monitor(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    loop = _loop()
    loop.logger.set_correlation_id(context.aws_request_id)
    try:
        return loop.run(lambda: context.get_remaining_time_in_millis() / 1000)
    finally:
        flush(loop.metrics)


handler = traced(monitor, service=SERVICE)
