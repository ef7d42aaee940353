"""A deployed environment as its stacks describe it: outputs, account, AWS clients, and where its doors answer.

`shared.deployment_search` finds one, and `shared.deployment_outputs` refuses what is not one environment. Nothing here
asks AWS until a client is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from pydantic import SecretStr

from shared.aws_sessions import LocalAccess, Sessions, Watcher
from shared.deployment_outputs import DeploymentError, account_of, read_outputs
from shared.local_endpoints import Endpoints
from shared.outputs import PlainGlobalOutputs, PlainRegionOutputs
from shared.places import Place

__all__ = ["Deployment", "DeploymentError", "Door", "Doors", "Local"]

_HTTPS = 443


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where one front door answers: on AWS its own name at 443, in a local deployment a loopback address."""

    host: str
    port: int

    @classmethod
    def at(cls, address: str) -> "Door":
        """From `host:port`."""
        host, _, port = address.rpartition(":")
        return cls(host=host, port=int(port))


@dataclass(frozen=True, kw_only=True)
class Doors:
    """All front doors of an environment. TLS asks for `service_name`, whatever the address."""

    accelerator: Door
    nlb: Mapping[Place, Door]
    api: Mapping[Place, str]  # URL of the stage
    service_name: str
    certificates_pem: str  # to trust besides the public authorities; empty where those issued them


@dataclass(frozen=True, kw_only=True)
class Local:
    """What only a local deployment has."""

    control: str  # URL of the embedded AWS's control API
    client_key: SecretStr
    ca_file: Path
    speed: float
    pid: int


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One environment in two regions of one account."""

    environment: str
    primary: PlainRegionOutputs = field(repr=False)
    secondary: PlainRegionOutputs = field(repr=False)
    spanning: PlainGlobalOutputs = field(repr=False)
    doors: Doors = field(repr=False)
    account: str = field(repr=False)
    sessions: Sessions = field(repr=False)
    local: Local | None = field(default=None, repr=False)

    @classmethod
    def of(cls, environment: str, outputs: Mapping[str, Mapping[str, Any]]) -> "Deployment":
        """On AWS, from what the three stacks export. Raises DeploymentError if they do not belong together."""
        cells, spanning = read_outputs(environment, outputs)
        doors = Doors(
            accelerator=Door(host=spanning.accelerator_dns_name, port=_HTTPS),
            nlb={place: Door(host=cell.nlb_dns_name, port=_HTTPS) for place, cell in cells.items()},
            api={place: cell.api_url for place, cell in cells.items()},
            service_name=cells[Place.PRIMARY].service_name,
            certificates_pem="\n".join(filter(None, (cell.certificate_pem.strip() for cell in cells.values()))),
        )
        return cls(
            environment=environment,
            primary=cells[Place.PRIMARY],
            secondary=cells[Place.SECONDARY],
            spanning=spanning,
            doors=doors,
            account=account_of(cells, spanning),
            sessions=Sessions(),
        )

    @classmethod
    def of_local(cls, endpoints: Endpoints) -> "Deployment":
        """On the embedded AWS. Raises DeploymentError if its outputs do not belong together."""
        cells, spanning = read_outputs(endpoints.environment, endpoints.outputs)
        account = account_of(cells, spanning, told=endpoints.account)
        local = Local(
            control=endpoints.control,
            client_key=endpoints.client_key,
            ca_file=endpoints.ca_file,
            speed=endpoints.speed,
            pid=endpoints.pid,
        )
        doors = Doors(
            accelerator=Door.at(endpoints.accelerator.address),
            nlb={each.place: Door.at(each.nlb) for each in endpoints.regions.values()},
            api={each.place: each.api for each in endpoints.regions.values()},
            service_name=endpoints.service_name,
            certificates_pem="\n".join(filter(None, (cell.certificate_pem.strip() for cell in cells.values()))),
        )
        return cls(
            environment=endpoints.environment,
            primary=cells[Place.PRIMARY],
            secondary=cells[Place.SECONDARY],
            spanning=spanning,
            doors=doors,
            account=account,
            sessions=Sessions(LocalAccess(endpoint=endpoints.aws, account=account)),
            local=local,
        )

    @property
    def suffix(self) -> str:
        return self.spanning.suffix

    @property
    def speed(self) -> float:
        """AWS seconds that pass in one of ours."""
        return self.local.speed if self.local else 1.0

    def cell(self, place: Place) -> PlainRegionOutputs:
        """What the stack at `place` exports."""
        return self.primary if place is Place.PRIMARY else self.secondary

    def region(self, place: Place) -> str:
        return self.cell(place).region

    @property
    def regions(self) -> dict[Place, str]:
        return {place: self.region(place) for place in Place}

    def client(self, service: str, where: Place | str) -> Any:
        """A client in the region of a place, or in a region named (Global Accelerator answers in us-west-2 only)."""
        return self.sessions.client(service, self.region(where) if isinstance(where, Place) else where)

    def session(self, where: Place | str) -> boto3.Session:
        return self.sessions.session(self.region(where) if isinstance(where, Place) else where)

    def watch(self, watcher: Watcher) -> None:
        """Let `watcher` register on the sessions of all clients made from now on."""
        self.sessions.watch(watcher)
