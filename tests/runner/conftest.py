"""Programs that the runner's tests write themselves, and clients of the embedded AWS that they are deployed on."""

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from localaws.core.environment import ACCOUNT
from localaws.engine import Deployment, State, deploy, destroy
from tests.local.embedded import LocalAws

Client = Callable[..., Any]

PREAMBLE = """
import json
import pulumi
import pulumi_aws as aws
provider = aws.Provider("east", region="us-east-1", default_tags={"tags": {"Application": "dr"}})
opts = pulumi.ResourceOptions(provider=provider)
"""


@pytest.fixture(scope="session")
def endpoint(shared_planes: LocalAws) -> str:
    return shared_planes.server.endpoint


@pytest.fixture(scope="session")
def client(endpoint: str) -> Client:
    """boto3 clients of the embedded AWS, made once per service and region."""
    made: dict[tuple[str, str], Any] = {}
    make: Any = boto3.client  # its stubs want the service as a literal

    def get(service: str, region: str = "us-east-1") -> Any:
        if (service, region) not in made:
            made[service, region] = make(
                service,
                region_name=region,
                endpoint_url=endpoint,
                aws_access_key_id=ACCOUNT,
                aws_secret_access_key="test",
                config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
            )
        return made[service, region]

    return get


class Programs:
    """A folder of stack programs that a test writes, and their deployment."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.folder = folder
        self.endpoint = endpoint
        self.state = State(folder)

    def write(self, body: str, *, stack: str = "primary", preamble: str = PREAMBLE, config: str = "") -> None:
        program = self.folder / stack
        program.mkdir(exist_ok=True)
        (program / "Pulumi.yaml").write_text(f"name: dr-{stack}\nruntime: python\n{config}")
        (program / "__main__.py").write_text(preamble + textwrap.dedent(body))

    def deploy(self, *stacks: str, **options: Any) -> Deployment:
        folders = [self.folder / stack for stack in stacks or ("primary",)]
        return deploy("test", self.endpoint, folders, **{"state": self.state, **options})

    def destroy(self) -> dict[str, int]:
        return destroy("test", self.endpoint, [self.folder / stack for stack in self.state.stacks], state=self.state)


@pytest.fixture
def programs(tmp_path: Path, endpoint: str) -> Iterator[Programs]:
    """Programs whose resources are gone after the test."""
    made = Programs(tmp_path, endpoint)
    yield made
    made.destroy()
