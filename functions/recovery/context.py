"""What the operations work on: settings, replicas, clients, time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from common.aws_clients import AwsClients, Clients
from common.clock import Pace, timestamp
from common.control.rules import Witness
from common.control.witness import ask_witness
from common.control.writes import ControlChanges
from common.health_endpoints import Doors, read_doors
from common.table_replica import Replica

from .errors import ServiceSilent
from .settings import Settings


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    settings: Settings
    local: Replica
    control: ControlChanges
    client: Callable[[str, str], Any]  # service, region
    patient_client: Callable[[str, str], Any]  # for the one call that may take minutes, which is not tried again
    ask_peers_witness: Callable[[], Witness]
    pace: Pace

    @property
    def region(self) -> str:
        return self.settings.region

    def here(self, service: str) -> Any:
        """A client of the own region."""
        return self.client(service, self.region)

    def moment(self) -> str:
        return timestamp(self.pace.now())

    def doors(self, region: str) -> Doors:
        """Raises DoorsUnknown and ServiceSilent."""
        with silence_named("Parameter Store"):
            return read_doors(self.here("ssm"), self.settings.endpoints_prefix, region)


@contextmanager
def silence_named(what: str) -> Iterator[None]:
    """Turn botocore's errors into ServiceSilent."""
    try:
        yield
    except ClientError as error:
        raise ServiceSilent(f"{what} refused: {error.response['Error']['Code']}") from error
    except BotoCoreError as error:
        raise ServiceSilent(f"{what} did not answer: {type(error).__name__}") from error


def make(settings: Settings) -> Surroundings:
    """Making it calls nothing."""
    pace = Pace(speed=settings.clock_speed)
    tables = Clients()
    aws = AwsClients(deadline_seconds=settings.api_timeout_seconds)
    patient = AwsClients(deadline_seconds=settings.replay_timeout_seconds, attempts=1)

    def replica(region: str, timeout_ms: int) -> Replica:
        client = tables.dynamodb(region, timeout_seconds=timeout_ms / 1000)
        return Replica(client, region=region, table=settings.journal_table)

    local = replica(settings.region, settings.local_timeout_ms)
    return Surroundings(
        settings=settings,
        local=local,
        control=ControlChanges(
            local=local,
            peer=replica(settings.peer_region, settings.peer_timeout_ms),
            regions=settings.regions,
            now=pace.now,
        ),
        client=aws.client,
        patient_client=patient.client,
        ask_peers_witness=lambda: ask_witness(
            settings.peer_witness_name,
            server=settings.witness_resolver,
            timeout=settings.witness_timeout_ms / 1000,
        ),
        pace=pace,
    )
