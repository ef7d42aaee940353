"""The synchronization of parameters, deployed on an embedded AWS, with changes by people and disturbed events."""

import json
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws.engine import State, deploy
from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually

ENVIRONMENT = "sync"
PREFIX = f"/app/{ENVIRONMENT}"
PLACES = {EAST_1: "primary", EAST_2: "secondary"}
SECRET = "never-to-be-seen-"
_PROGRAM = Path(__file__).parent / "parameters_program.py"


@dataclass
class ParameterWorld:
    aws: LocalAws
    outputs: dict[str, Any]
    log_file: Path

    def ssm(self, region: str = EAST_1) -> Any:
        return self.aws.client("ssm", region)

    def put(self, name: str, value: str, region: str = EAST_1, **more: Any) -> None:
        """Make it, or give it another value."""
        given = {"Name": f"{PREFIX}/{name}", "Value": value, "Overwrite": True, **more}
        self.ssm(region).put_parameter(**{"Type": "String", **given})

    def delete(self, name: str, region: str = EAST_1) -> None:
        self.ssm(region).delete_parameter(Name=f"{PREFIX}/{name}")

    def tree(self, region: str) -> dict[str, Any]:
        """The parameters below the prefix, except the region's own ones."""
        found: dict[str, Any] = {}
        for page in (
            self.ssm(region)
            .get_paginator("get_parameters_by_path")
            .paginate(Path=PREFIX, Recursive=True, WithDecryption=True)
        ):
            found |= {each["Name"]: (each["Type"], each["Value"]) for each in page["Parameters"]}
        return {name: value for name, value in found.items() if not name.startswith(f"{PREFIX}/local/")}

    def trees_are_equal(self) -> bool:
        return self.tree(EAST_1) == self.tree(EAST_2)

    def becomes_equal(self, *, within: float = 120) -> bool:
        return eventually(self.trees_are_equal, within=within)

    def written_by_us(self, below: str = "") -> int:
        """Versions of parameters there are now that the function wrote, in both regions."""
        return sum(
            "assumed-role/function-parameter_sync" in version["LastModifiedUser"]
            for region in PLACES
            for name in self.tree(region)
            if name.startswith(f"{PREFIX}/{below}")
            for version in self.ssm(region).get_parameter_history(Name=name)["Parameters"]
        )

    def ask(self, operation: str, region: str = EAST_1, **more: Any) -> dict[str, Any]:
        """As a person does, who waits for the answer."""
        answer = self.aws.client("lambda", region, read_timeout=120).invoke(
            FunctionName=self.outputs[f"function-{PLACES[region]}"],
            Payload=json.dumps({"operation": operation, "waits": True, **more}),
        )
        reported: dict[str, Any] = json.load(answer["Payload"])
        assert "FunctionError" not in answer, reported
        return reported

    def reconcile(self, region: str = EAST_1) -> dict[str, Any]:
        return self.ask("reconcile", region)

    def dead_letters(self, region: str = EAST_1) -> list[dict[str, Any]]:
        got = self.aws.client("sqs", region).receive_message(
            QueueUrl=self.outputs[f"dead-{PLACES[region]}"], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [json.loads(message["Body"]) for message in got.get("Messages", [])]

    def every_report(self) -> str:
        """All logs of the functions, with their metrics, and the server's own."""
        reported = [self.log_file.read_text()]
        for region, place in PLACES.items():
            group = f"/aws/lambda/{self.outputs[f'function-{place}']}"
            pages = self.aws.client("logs", region).get_paginator("filter_log_events").paginate(logGroupName=group)
            reported += [event["message"] for page in pages for event in page["events"]]
            reported += [json.dumps(self.dead_letters(region))]
        return "\n".join(reported)

    @contextmanager
    def without_events(self) -> Iterator[None]:
        """No event of a change is delivered in either region."""
        for region, place in PLACES.items():
            self.aws.client("events", region).disable_rule(Name=f"rule-parameters-{place}-{ENVIRONMENT}")
        try:
            yield
        finally:
            for region, place in PLACES.items():
                self.aws.client("events", region).enable_rule(Name=f"rule-parameters-{place}-{ENVIRONMENT}")

    @contextmanager
    def meddled_with(self, seed: int) -> Iterator[None]:
        """Events dropped, doubled, late and out of order, in both regions, at random."""
        relays = [Relay(self.aws, region, random.Random(f"{seed} {region}")) for region in PLACES]
        try:
            yield
        finally:
            for relay in relays:
                relay.close()


class Relay:
    """Stands between a region's rule and its queue."""

    def __init__(self, aws: LocalAws, region: str, chance: random.Random) -> None:
        self._aws, self._region, self._chance = aws, region, chance
        self._rule = f"rule-parameters-{PLACES[region]}-{ENVIRONMENT}"
        events, sqs = aws.client("events", region), aws.client("sqs", region)
        (self._target,) = events.list_targets_by_rule(Rule=self._rule)["Targets"]
        self._queue = sqs.get_queue_url(QueueName=self._target["Arn"].rpartition(":")[2])["QueueUrl"]
        self._between = sqs.create_queue(QueueName=f"between-{PLACES[region]}-{time.monotonic_ns()}")["QueueUrl"]
        arn = self._target["Arn"].rpartition(":")[0] + ":" + self._between.rpartition("/")[2]
        events.put_targets(Rule=self._rule, Targets=[{"Id": self._target["Id"], "Arn": arn}])
        self._held: list[str] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"relay-{region}")
        self._thread.start()

    def close(self) -> None:
        """Everything that was held comes now."""
        self._ending.set()
        self._thread.join()
        self._aws.client("events", self._region).put_targets(Rule=self._rule, Targets=[self._target])

    def _run(self) -> None:
        sqs = self._aws.client("sqs", self._region)
        while not self._ending.wait(0.05):
            for message in sqs.receive_message(QueueUrl=self._between, MaxNumberOfMessages=10).get("Messages", []):
                self._held += [message["Body"]] * self._chance.choice([0, 1, 1, 1, 2])
                sqs.delete_message(QueueUrl=self._between, ReceiptHandle=message["ReceiptHandle"])
            self._pass_on(sqs, self._chance.randrange(0, 4))
        self._pass_on(sqs, len(self._held))

    def _pass_on(self, sqs: Any, count: int) -> None:
        for _ in range(min(count, len(self._held))):
            body = self._held.pop(self._chance.randrange(len(self._held)))
            sqs.send_message(QueueUrl=self._queue, MessageBody=body)


def deploy_parameters(aws: LocalAws, folder: Path, log_file: Path) -> ParameterWorld:
    """The program, with the function's times cut short."""
    stack = folder / "primary"
    stack.mkdir()
    (stack / "Pulumi.yaml").write_text("name: dr-primary\nruntime: python\n")
    (stack / "__main__.py").write_text(_PROGRAM.read_text())
    made = deploy(ENVIRONMENT, aws.server.endpoint, [folder / "primary"], state=State(folder))
    outputs = made.outputs["primary"]
    for region, place in PLACES.items():
        functions, name = aws.client("lambda", region), outputs[f"function-{place}"]
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        quick = {"SETTLING_SECONDS": "0", "RETRY_SECONDS": "1"}
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables | quick})
    world = ParameterWorld(aws, outputs, log_file)
    # A function that is configured anew drops what it is at.
    world.reconcile()
    return world
