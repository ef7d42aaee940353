"""`endpoints.json`, as the embedded AWS promises it."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.local_endpoints import Endpoints, EndpointsError
from shared.outputs import GlobalOutputs, RegionOutputs
from shared.places import Place
from tests.drill.fake_aws import everything_else

KEY = "K3y" * 16


def content(**changes: Any) -> dict[str, Any]:
    return {
        "environment": "dev",
        "speed": 5.0,
        "pid": 1,
        "account": "000000000000",
        "aws": "http://127.0.0.1:1",
        "control": "http://127.0.0.1:1/_localaws",
        "ca_file": "ca.pem",
        "addresses": {"a.example:443": "127.0.0.1:2", "p.example:443": "127.0.0.1:3", "s.example:443": "127.0.0.1:4"},
        "regions": {"us-east-1": {"name": "primary", "postgres": "x"}, "us-east-2": {"name": "secondary"}},
        "outputs": {
            "primary": everything_else(
                RegionOutputs,
                {
                    "region": "us-east-1",
                    "ingress.nlb_dns_name": "p.example",
                    "ingress.api_id": "a",
                    "ingress.api_stage": "v1",
                },
            ),
            "secondary": everything_else(RegionOutputs, {"region": "us-east-2", "ingress.nlb_dns_name": "s.example"}),
            "global": everything_else(
                GlobalOutputs, {"journal_table": "table-journal-dev", "accelerator_dns_name": "a.example"}
            ),
        },
        "metadata": {"client_key": KEY},
    } | changes


def read(folder: Path, text: str) -> Endpoints:
    path = folder / "endpoints.json"
    path.write_text(text)
    return Endpoints.read(path)


def test_addresses_and_outputs_are_read_by_their_contract(tmp_path: Path) -> None:
    endpoints = read(tmp_path, json.dumps(content()))

    assert endpoints.region(Place.SECONDARY) == "us-east-2"
    assert endpoints.accelerator.url == "https://127.0.0.1:2"
    assert endpoints.regions["us-east-1"].api == "http://127.0.0.1:1/_aws/execute-api/a/v1"
    assert [region.nlb for region in endpoints.regions.values()] == ["127.0.0.1:3", "127.0.0.1:4"]
    assert endpoints.global_outputs.journal_table == "table-journal-dev"
    assert endpoints.region_outputs(Place.PRIMARY).region == "us-east-1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        json.dumps(content(outputs={"primary": {}, "secondary": {}, "global": {}})),
        json.dumps(content(addresses={"a.example:443": "127.0.0.1:2", "p.example:443": "127.0.0.1:3"})),
        json.dumps(content(speed="fast")),
        json.dumps({"metadata": {"client_key": KEY}}),
        json.dumps(content(metadata={"client_key": [KEY]})),
        json.dumps(content())[:-1],
    ],
    ids=["empty", "nothing in it", "half deployed", "one region only", "no number", "a key only", "no key", "cut off"],
)
def test_a_half_deployed_environment_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(EndpointsError, match=r"endpoints.json of the embedded AWS cannot be used") as refused:
        read(tmp_path, text)

    assert KEY[:6] not in str(refused.value), "pydantic shows the start of a long value"


def test_the_clients_key_is_read_and_not_shown(tmp_path: Path) -> None:
    endpoints = read(tmp_path, json.dumps(content()))

    assert endpoints.client_key.get_secret_value() == KEY
    assert KEY not in f"{endpoints!r} {endpoints}"
