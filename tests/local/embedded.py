"""An embedded AWS as tests use it: boto3 clients, outages, and a few resources to try things on."""

import io
import textwrap
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import boto3
import httpx
from botocore.config import Config

from localaws.core.environment import ACCOUNT
from localaws.engine import Deployment
from localaws.launch import RunningServer
from shared.outputs import PlainRegionOutputs
from shared.places import Place

EAST_1, EAST_2 = "us-east-1", "us-east-2"

Found = TypeVar("Found")

TIMEOUT = 60.0
"""Seconds for something that comes within one or two on a fast machine that does nothing else."""


@dataclass(frozen=True)
class LocalAws:
    """An embedded AWS and the ways to look at it and to change it."""

    server: RunningServer
    _clients: dict[Any, Any] = field(default_factory=dict)

    def client(self, service: str, region: str = EAST_1, **settings: Any) -> Any:
        """A boto3 client without retries and with a timeout of a minute; `settings` go to botocore's Config."""
        key = (service, region, *sorted(settings.items()))
        if key not in self._clients:
            given = {"retries": {"total_max_attempts": 1}, "connect_timeout": 20, "read_timeout": TIMEOUT, **settings}
            make: Any = boto3.client  # the stubs know one overload a service
            self._clients[key] = make(
                service,
                region_name=region,
                endpoint_url=self.server.endpoint,
                aws_access_key_id=ACCOUNT,
                aws_secret_access_key="any",
                config=Config(**given),
            )
        return self._clients[key]

    def status(self) -> dict[str, Any]:
        answer = httpx.get(f"{self.server.control}/status", timeout=TIMEOUT).raise_for_status()
        status: dict[str, Any] = answer.json()
        return status

    def refused(self, region: str) -> dict[str, int]:
        refused: dict[str, int] = self.status()["regions"][region]["refused"]
        return refused

    def lose(self, region: str, kind: str = "error") -> None:
        self.control("outage", {"region": region, "kind": kind})

    def control(self, what: str, content: Any = None) -> Any:
        """POST `content` to the control API, or GET without one."""
        url = f"{self.server.control}/{what}"
        answer = httpx.request("GET" if content is None else "POST", url, json=content, timeout=TIMEOUT)
        return answer.raise_for_status().json()

    def heal(self, *regions: str) -> None:
        """Bring regions back, and every service that is out there."""
        for region in regions:
            self.control("recover", {"region": region})
        for lost in self.status()["faults"]["services"]:
            if lost["region"] in regions:
                self.control("service", {"region": lost["region"], "service": lost["service"], "fault": None})


def eventually(read: Callable[[], Found], *, within: float = TIMEOUT) -> Found:
    """The result of `read` once that is true; its last one after `within` seconds, which cost nothing if it comes."""
    deadline = time.monotonic() + within
    while not (found := read()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def deploy_function(aws: LocalAws, name: str, code: str, region: str = EAST_1, **settings: Any) -> str:
    """Create a Lambda function from source with a `handler(event, context)`; returns its ARN."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", textwrap.dedent(code))
    function = aws.client("lambda", region).create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="index.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/any",
        Code={"ZipFile": archive.getvalue()},
        Timeout=30,
        **settings,
    )
    return str(function["FunctionArn"])


def make_table(aws: LocalAws, name: str, region: str = EAST_1, replica: str | None = None) -> str:
    """Create a table with key `id` and a stream, and its replica; returns its stream's ARN."""
    client = aws.client("dynamodb", region)
    table = client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    if replica:
        client.update_table(TableName=name, ReplicaUpdates=[{"Create": {"RegionName": replica}}])
    return str(table["TableDescription"]["LatestStreamArn"])


def put(aws: LocalAws, table: str, key: str, value: str, region: str = EAST_1) -> None:
    aws.client("dynamodb", region).put_item(TableName=table, Item={"id": {"S": key}, "value": {"S": value}})


def value_of(aws: LocalAws, table: str, key: str, region: str = EAST_1) -> str | None:
    item = aws.client("dynamodb", region).get_item(TableName=table, Key={"id": {"S": key}}).get("Item")
    return item["value"]["S"] if item else None


def region_outputs(deployment: Deployment) -> list[PlainRegionOutputs]:
    """The outputs of the regional stacks, the primary first."""
    return [PlainRegionOutputs.from_plain(deployment.outputs[place]) for place in Place]
