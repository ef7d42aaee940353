"""`endpoints.json`: where a deployed embedded AWS answers. `up` writes it, the drill and the other commands
read it, and the server keeps its speed up to date."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localaws.core.environment import ACCOUNT
from shared.outputs import PlainGlobalOutputs, PlainRegionOutputs
from shared.places import Place

FILE = "endpoints.json"
CERTIFICATES = "ca.pem"

_HTTPS = 443

Outputs = Mapping[str, Mapping[str, Any]]


def region_outputs(outputs: Outputs) -> dict[str, PlainRegionOutputs]:
    """What the regional stacks export, by region."""
    cells = (PlainRegionOutputs.from_plain(outputs[place]) for place in Place)
    return {cell.region: cell for cell in cells}


def describe(
    *,
    environment: str,
    endpoint: str,
    control: str,
    directory: Path,
    outputs: Outputs,
    seconds: Mapping[str, float],
    status: Mapping[str, Any],
    addresses: Mapping[str, str],
    client_key: str,
) -> dict[str, Any]:
    """The content of the file, from what the stacks export and what the server tells. Its one secret is the client's
    key, good for this run only."""
    global_outputs = PlainGlobalOutputs.from_plain(outputs["global"])
    cells = region_outputs(outputs)
    accelerator = addresses[f"{global_outputs.accelerator_dns_name}:{_HTTPS}"]
    databases = {row["region"]: row["url"] for row in status.get("databases", [])}
    return {
        "environment": environment,
        "speed": status["speed"],
        "pid": os.getpid(),
        "account": ACCOUNT,
        "aws": endpoint,
        "control": control,
        "dns": status["dns"]["address"],
        "accelerator": {
            "dns_name": global_outputs.accelerator_dns_name,
            "address": accelerator,
            "url": f"https://{accelerator}",
        },
        "service_name": cells[next(iter(cells))].ingress.service_name,
        "client_key": client_key,
        "ca_file": str(directory / CERTIFICATES),
        "regions": {
            region: {
                "place": cell.place,
                "api": f"{endpoint}/_aws/execute-api/{cell.ingress.api_id}/{cell.ingress.api_stage}",
                "nlb": addresses[f"{cell.ingress.nlb_dns_name}:{_HTTPS}"],
                "postgres": databases.get(region),
            }
            for region, cell in cells.items()
        },
        "deploy_seconds": {stack: round(taken, 3) for stack, taken in seconds.items()},
        "outputs": {stack: dict(values) for stack, values in outputs.items()},
    }


def write(directory: Path, content: Mapping[str, Any]) -> None:
    """The certificates first, then the file, each at once: who sees the file finds all of it."""
    certificates = [cell.ingress.certificate_pem.strip() for cell in region_outputs(content["outputs"]).values()]
    _at_once(directory / CERTIFICATES, "\n".join(filter(None, certificates)) + "\n")
    _at_once(directory / FILE, json.dumps(content, indent=2) + "\n")


def set_speed(path: Path, speed: float) -> None:
    """Let the file at `path` tell another speed; one that is not written yet will be told by the server's status."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return
    _at_once(path, json.dumps({**content, "speed": speed}, indent=2) + "\n")


def _at_once(path: Path, text: str) -> None:
    """Readable by this user alone, as `tempfile` makes its files."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)
