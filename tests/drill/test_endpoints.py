"""`endpoints.json`, as the embedded AWS promises it."""

import json
from pathlib import Path
from typing import Any

import pytest

from drill.engine.local_environment import Endpoints, EndpointsError
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
        "accelerator": {"dns_name": "a.example", "address": "127.0.0.1:2", "url": "https://127.0.0.1:2"},
        "service_name": "pay.dr-dev.internal",
        "client_key": KEY,
        "ca_file": "ca.pem",
        "regions": {
            "us-east-1": {"place": "primary", "api": "http://127.0.0.1:1/a", "nlb": "127.0.0.1:3", "postgres": "x"},
            "us-east-2": {"place": "secondary", "api": "http://127.0.0.1:1/b", "nlb": "127.0.0.1:4", "postgres": "y"},
        },
        "outputs": {
            "primary": everything_else(RegionOutputs, {"region": "us-east-1"}),
            "secondary": everything_else(RegionOutputs, {"region": "us-east-2"}),
            "global": everything_else(GlobalOutputs, {"journal_table": "table-journal-dev"}),
        },
    } | changes


def read(folder: Path, text: str) -> Endpoints:
    path = folder / "endpoints.json"
    path.write_text(text)
    return Endpoints.read(path)


def test_addresses_and_outputs_are_read_by_their_contract(tmp_path: Path) -> None:
    endpoints = read(tmp_path, json.dumps(content()))

    assert endpoints.region(Place.SECONDARY) == "us-east-2"
    assert (endpoints.accelerator_host, endpoints.accelerator_port) == ("127.0.0.1", 2)
    assert endpoints.global_outputs.journal_table == "table-journal-dev"
    assert endpoints.region_outputs(Place.PRIMARY).region == "us-east-1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        json.dumps(content(outputs={"primary": {}, "secondary": {}, "global": {}})),
        json.dumps(content(regions={"us-east-1": {"place": "primary", "api": "a", "nlb": "b"}})),
        json.dumps(content(speed="fast")),
        json.dumps({"client_key": KEY}),
        json.dumps(content(client_key=[KEY])),
        json.dumps(content(client_key=KEY))[:-1],
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
