"""A deployed environment as its stacks describe it: outputs, account, AWS clients and endpoints.

`shared.deployment_search` finds one, and `shared.deployment_outputs` refuses what is not one environment. Nothing here
calls AWS until a client is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from pydantic import SecretStr

from shared.aws_sessions import LocalAccess, Sessions, Watcher
from shared.deployment_outputs import DeploymentError, account_of, read_outputs
from shared.local_aws import Engine
from shared.local_endpoints import Endpoints
from shared.outputs import PlainGlobalOutputs, PlainRegionOutputs
from shared.places import Place

__all__ = ["ClientEndpoints", "Deployment", "DeploymentError", "Endpoint", "Local"]

_HTTPS = 443


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Host and port of an NLB or of the accelerator; loopback addresses in a local deployment."""

    host: str
    port: int

    @classmethod
    def at(cls, address: str) -> "Endpoint":
        """From `host:port`."""
        host, _, port = address.rpartition(":")
        return cls(host=host, port=int(port))


@dataclass(frozen=True, kw_only=True)
class ClientEndpoints:
    """The address of an environment for clients. TLS uses `service_name`, whatever the address."""

    accelerator: Endpoint
    nlb: Mapping[Place, Endpoint]
    api: Mapping[Place, str]  # URL of the stage
    service_name: str
    certificates_pem: str  # to trust besides the public authorities; empty where those issued them


@dataclass(frozen=True, kw_only=True)
class Local:
    """The attributes that only a local deployment has."""

    control: str  # URL of the embedded AWS's control API
    client_key: SecretStr
    ca_file: Path
    speed: float
    pid: int
    engine: Engine = Engine.LOCALAWS  # that deployed the stacks


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One environment in two regions of one account."""

    environment: str
    primary: PlainRegionOutputs = field(repr=False)
    secondary: PlainRegionOutputs = field(repr=False)
    global_outputs: PlainGlobalOutputs = field(repr=False)
    endpoints: ClientEndpoints = field(repr=False)
    account: str = field(repr=False)
    sessions: Sessions = field(repr=False)
    local: Local | None = field(default=None, repr=False)

    @classmethod
    def of(cls, environment: str, outputs: Mapping[str, Mapping[str, Any]]) -> "Deployment":
        """On AWS, from what the three stacks export. Raises DeploymentError if they do not belong together."""
        cells, global_outputs = read_outputs(environment, outputs)
        return cls(
            environment=environment,
            primary=cells[Place.PRIMARY],
            secondary=cells[Place.SECONDARY],
            global_outputs=global_outputs,
            endpoints=ClientEndpoints(
                accelerator=Endpoint(host=global_outputs.accelerator_dns_name, port=_HTTPS),
                nlb={place: Endpoint(host=cell.ingress.nlb_dns_name, port=_HTTPS) for place, cell in cells.items()},
                api={place: cell.ingress.api_url for place, cell in cells.items()},
                service_name=cells[Place.PRIMARY].ingress.service_name,
                certificates_pem=_certificates(cells),
            ),
            account=account_of(cells, global_outputs),
            sessions=Sessions(),
        )

    @classmethod
    def of_local(cls, file: Endpoints) -> "Deployment":
        """On the embedded AWS. Raises DeploymentError if its outputs do not belong together."""
        cells, global_outputs = read_outputs(file.environment, file.outputs)
        account = account_of(cells, global_outputs, stated=file.account)
        return cls(
            environment=file.environment,
            primary=cells[Place.PRIMARY],
            secondary=cells[Place.SECONDARY],
            global_outputs=global_outputs,
            endpoints=ClientEndpoints(
                accelerator=Endpoint.at(file.accelerator.address),
                nlb={each.place: Endpoint.at(each.nlb) for each in file.regions.values()},
                api={each.place: each.api for each in file.regions.values()},
                service_name=file.service_name,
                certificates_pem=_certificates(cells),
            ),
            account=account,
            sessions=Sessions(LocalAccess(endpoint=file.aws, account=account)),
            local=Local(
                control=file.control,
                client_key=file.client_key,
                ca_file=file.ca_file,
                speed=file.speed,
                pid=file.pid,
                engine=file.engine,
            ),
        )

    @property
    def suffix(self) -> str:
        return self.global_outputs.suffix

    @property
    def speed(self) -> float:
        """AWS seconds that pass in one of ours."""
        return self.local.speed if self.local else 1.0

    def cell(self, place: Place) -> PlainRegionOutputs:
        """The outputs of the stack at `place`."""
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


def _certificates(cells: Mapping[Place, PlainRegionOutputs]) -> str:
    """The certificates that are not from a public authority and that clients have to trust, in PEM."""
    return "\n".join(filter(None, (cell.ingress.certificate_pem.strip() for cell in cells.values())))
