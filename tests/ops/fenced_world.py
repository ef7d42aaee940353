"""Two regions that have fenced each other: moto's tables and state machines, and the real operation of `recovery`.

`functions/` must be on `sys.path` while the function is invoked.
"""

import importlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError

from shared.aws_sessions import Sessions
from shared.naming import Names
from shared.places import Place
from tests.local.embedded import EAST_1, EAST_2

NAMES = Names("dev")
TABLE = NAMES.journal_table
ACCOUNT = "123456789012"
ONCE = Config(retries={"total_max_attempts": 1})


class Aws(Sessions):
    """moto's services in both regions, and Lambda with the function `recovery`. Nothing is replicated."""

    def __init__(self) -> None:
        super().__init__()
        self.silent: set[str] = set()
        """Regions whose services do not answer."""
        self.meanwhile: Callable[[], None] = lambda: None
        """Called between the read of the records and the change."""
        self.replays: list[dict[str, Any] | str] = [{"done": True, "posted": 0, "continuation": None}]
        """The ledger's responses to replays, one after the other: a result, or the type of an error."""

    def client(self, service: str, region: str, **_: Any) -> Any:
        if service == "lambda":
            return Recovery(self, region)
        make: Any = boto3.client  # its stubs want the service as a literal
        client = make(service, region_name=region, config=ONCE)
        client.meta.events.register_first("before-send.*", lambda **_: self._answer(region))
        return client

    def _answer(self, region: str) -> None:
        if region in self.silent:
            raise ConnectTimeoutError(endpoint_url=f"https://{region}.amazonaws.com")


@dataclass
class Recovery:
    """The function in a region: its operation on the replicas, with errors as Lambda returns them."""

    aws: Aws
    region: str
    exceptions: Any = field(default_factory=lambda: SimpleNamespace(ResourceNotFoundException=LookupError))

    def invoke(self, *, FunctionName: str, Payload: str) -> dict[str, Any]:
        self.aws.meanwhile()
        here = Place.PRIMARY if self.region == EAST_1 else Place.SECONDARY
        if FunctionName != f"function-recovery-{here}-dev":
            raise LookupError(FunctionName)
        event = json.loads(Payload)
        if event["operation"] == "replay":
            return self._replay(event)
        errors, operations = (importlib.import_module(f"recovery.{each}") for each in ("errors", "operations"))
        try:
            result = operations.perform(event, self._around())
        except errors.RecoveryError as error:
            failed = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(failed).encode())}
        return {"Payload": io.BytesIO(json.dumps(result).encode())}

    def _replay(self, event: dict[str, Any]) -> dict[str, Any]:
        assert event["writer_region"] == self.region
        result = self.aws.replays.pop(0) if len(self.aws.replays) > 1 else self.aws.replays[0]
        if isinstance(result, str):
            failed = {"errorType": "ReplayFailed", "errorMessage": f"the ledger failed: {result}"}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(failed).encode())}
        return {"Payload": io.BytesIO(json.dumps(result).encode())}

    def _around(self) -> Any:
        record, write, replica = (
            importlib.import_module(f"common.{each}") for each in ("control.records", "control.writes", "table_replica")
        )
        peer = EAST_2 if self.region == EAST_1 else EAST_1
        local, other = (
            replica.Replica(self.aws.client("dynamodb", each), region=each, table=TABLE) for each in (self.region, peer)
        )
        regions = record.Regions(own=self.region, peer=peer, first_writer=EAST_1)
        changes = write.ControlChanges(local=local, peer=other, regions=regions)
        return SimpleNamespace(control=changes, now=lambda: "2026-11-21T12:00:00Z")


@dataclass
class World:
    aws: Aws

    def put(self, key: str, *at: str, **attributes: Any) -> None:
        values = {name: {"N" if name == "epoch" else "S": str(value)} for name, value in attributes.items()}
        for region in at or (EAST_1, EAST_2):
            boto3.client("dynamodb", region_name=region).put_item(TableName=TABLE, Item={"pk": {"S": key}, **values})

    def fence(self, region: str, *at: str, epoch: int, state: str = "fenced") -> None:
        self.put(f"region#{region}", *at, state=state, epoch=epoch, since="2026-11-21T09:00:00Z", by="failover-x")

    def forget(self, key: str) -> None:
        for region in (EAST_1, EAST_2):
            boto3.client("dynamodb", region_name=region).delete_item(TableName=TABLE, Key={"pk": {"S": key}})

    def write_by(self, region: str) -> None:
        self.put("control#writer", region=region, epoch=3)

    def held(self, at: str) -> dict[str, dict[str, str]]:
        """The records in a region's replica, by key."""
        items = boto3.client("dynamodb", region_name=at).scan(TableName=TABLE)["Items"]
        plain = [{name: str(next(iter(value.values()))) for name, value in item.items()} for item in items]
        return {item.pop("pk"): item for item in plain}

    def state(self, region: str, *, at: str) -> tuple[str, str]:
        record = self.held(at)[f"region#{region}"]
        return record["state"], record["epoch"]

    def machine(self, kind: str, place: Place, region: str) -> str:
        """A state machine by our name, whose runs go on; its ARN."""
        client = boto3.client("stepfunctions", region_name=region)
        made = client.create_state_machine(
            name=NAMES.regional(kind, place), definition="{}", roleArn=f"arn:aws:iam::{ACCOUNT}:role/any"
        )
        return str(made["stateMachineArn"])
