"""The context of the operations: settings, replicas, AWS clients, clock."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.aws_clients import AwsClients, DynamoDbClients
from common.backlog import Backlog
from common.clock import Pace, timestamp
from common.control.observe import ControlObserver
from common.control.rules import Witness
from common.control.witness import query_witness
from common.control.writes import ControlChanges
from common.endpoint_directory import EndpointDirectory
from common.health_endpoints import Endpoints
from common.table_replica import Replica

from .errors import ServiceUnavailable
from .settings import Settings

_LEAST_DEADLINE_SECONDS = 1.5


@dataclass(frozen=True, kw_only=True)
class RecoveryContext:
    """Settings, stores and clients of every operation."""

    settings: Settings
    local: Replica
    backlogs: Sequence[Backlog]  # of both regions, the own one first
    control: ControlChanges
    observer: ControlObserver
    client: Callable[[str, str], Any]  # arguments: service, region
    quick_client: Callable[[str, str], Any]  # for a region that may be lost: short timeouts, no retries
    long_call_client: Callable[[str, str], Any]  # without retries, for the one call that may take minutes
    query_peer_witness: Callable[[], Witness]
    directory: EndpointDirectory
    pace: Pace

    @property
    def region(self) -> str:
        """The own region."""
        return self.settings.region

    def cluster_arn(self, region: str) -> str:
        """The ARN of the region's member of the global database."""
        return self.settings.cluster_arn if region == self.region else self.settings.peer_cluster_arn

    def own_client(self, service: str) -> Any:
        """A client in the own region."""
        return self.client(service, self.region)

    def now(self) -> str:
        """The current time, ISO 8601 in UTC."""
        return timestamp(self.pace.now())

    def endpoints(self, region: str) -> Endpoints:
        """The health endpoints of `region`. Raises EndpointsNotFound and ServiceUnavailable."""
        with service_errors("Parameter Store"):
            return self.directory.find(region)


def leaving_deadline(settings: Settings, pace: Pace) -> float:
    """Real seconds within which the database of a region that is lost has to answer. Not less than a loaded machine
    needs for a few calls, at any clock speed."""
    return max(pace.real(settings.leaving_answer_seconds), _LEAST_DEADLINE_SECONDS)


@contextmanager
def service_errors(service: str) -> Iterator[None]:
    """Converts botocore's errors to ServiceUnavailable; `service` is its name for the message."""
    try:
        yield
    except ClientError as error:
        raise ServiceUnavailable(f"{service} rejected the call: {error.response['Error']['Code']}") from error
    except BotoCoreError as error:
        raise ServiceUnavailable(f"{service} did not answer: {type(error).__name__}") from error


def make_context(settings: Settings) -> RecoveryContext:
    """The context of `settings`. Creating it makes no call."""
    pace = Pace(speed=settings.clock_speed)
    tables = DynamoDbClients()
    aws = AwsClients(deadline_seconds=settings.api_timeout_seconds)
    long_calls = AwsClients(deadline_seconds=settings.replay_timeout_seconds, attempts=1)

    def replica(region: str, timeout_ms: int) -> Replica:
        client = tables.dynamodb(region, timeout_seconds=timeout_ms / 1000)
        return Replica(client, region=region, table=settings.journal_table)

    local = replica(settings.region, settings.local_timeout_ms)
    return RecoveryContext(
        settings=settings,
        local=local,
        backlogs=[
            Backlog(aws.client("dynamodb", settings.region), region=settings.region, table=settings.backlog_table),
            Backlog(
                aws.client("dynamodb", settings.peer_region),
                region=settings.peer_region,
                table=settings.peer_backlog_table,
            ),
        ],
        control=ControlChanges(
            local=local,
            peer=replica(settings.peer_region, settings.peer_timeout_ms),
            regions=settings.regions,
            now=pace.now,
        ),
        observer=ControlObserver.from_settings(settings, tables),
        client=aws.client,
        quick_client=AwsClients(deadline_seconds=leaving_deadline(settings, pace), attempts=1).client,
        long_call_client=long_calls.client,
        query_peer_witness=lambda: query_witness(
            settings.peer_witness_name,
            server=settings.witness_resolver,
            timeout_seconds=settings.witness_timeout_ms / 1000,
        ),
        # The copy for the time without Parameter Store is the sentinel's.
        directory=EndpointDirectory(
            lambda: aws.client("ssm", settings.region), prefix=settings.endpoints_prefix, local=local
        ),
        pace=pace,
    )
