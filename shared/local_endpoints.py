"""Endpoints of a local deployment, read from `endpoints.json`, which `python -m localaws up` writes once all is
deployed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from shared.local_aws import Engine
from shared.outputs import PlainGlobalOutputs, PlainRegionOutputs
from shared.places import Place

_HTTPS = 443


class EndpointsError(RuntimeError):
    """The deployment's addresses cannot be read."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Accelerator(_Model):
    dns_name: str
    address: str  # host:port on loopback
    url: str


class RegionEndpoints(_Model):
    place: Place
    api: str
    nlb: str


class Endpoints(_Model):
    """One environment on the embedded AWS."""

    environment: str
    speed: float
    pid: int
    account: str
    aws: str
    control: str
    accelerator: Accelerator
    service_name: str
    client_key: SecretStr
    ca_file: Path
    regions: dict[str, RegionEndpoints]
    outputs: dict[str, dict[str, Any]]
    engine: Engine  # that deployed the stacks
    deploy_seconds: dict[str, float] = Field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Endpoints":
        """Raises EndpointsError when the file is not what `localaws up` promises, or the environment half deployed."""
        try:
            endpoints = cls.model_validate(_from_outputs(json.loads(path.read_bytes())))
            for place in Place:
                endpoints.region_outputs(place)
            _ = endpoints.global_outputs
        except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
            raise EndpointsError(f"{path.name} of the embedded AWS cannot be used: {error}") from error
        return endpoints

    def region(self, place: Place) -> str:
        """The region that is `place`."""
        return next(name for name, region in self.regions.items() if region.place is place)

    def region_outputs(self, place: Place) -> PlainRegionOutputs:
        self.region(place)
        return PlainRegionOutputs.from_plain(self.outputs.get(place, {}))

    @property
    def global_outputs(self) -> PlainGlobalOutputs:
        return PlainGlobalOutputs.from_plain(self.outputs.get("global", {}))


def _from_outputs(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of the file with the endpoints that our stacks export, at their addresses on this machine."""
    addresses, outputs = content["addresses"], content["outputs"]
    cells = {place: PlainRegionOutputs.from_plain(outputs[place]) for place in Place}
    accelerator = PlainGlobalOutputs.from_plain(outputs["global"]).accelerator_dns_name
    address = addresses[f"{accelerator}:{_HTTPS}"]
    return {
        **content,
        "accelerator": {"dns_name": accelerator, "address": address, "url": f"https://{address}"},
        "service_name": cells[Place.PRIMARY].ingress.service_name,
        "client_key": content["metadata"]["client_key"],
        "engine": content["metadata"].get("deployed_by", Engine.LOCALAWS),
        "regions": {
            cell.region: {
                "place": place,
                "api": f"{content['aws']}/_aws/execute-api/{cell.ingress.api_id}/{cell.ingress.api_stage}",
                "nlb": addresses[f"{cell.ingress.nlb_dns_name}:{_HTTPS}"],
            }
            for place, cell in cells.items()
        },
    }
