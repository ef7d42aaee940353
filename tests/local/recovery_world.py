"""Two regions that fail over, as clients and people see them."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.functions.http_endpoint import HttpEndpoint
from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually
from tests.local.witness_server import WitnessServer

DATABASE = "payments"


@dataclass
class RecoveryWorld:
    """`us-east-1` has the writer at first."""

    aws: LocalAws
    name: str
    witness: WitnessServer
    endpoints: dict[str, HttpEndpoint]
    speed: float
    clusters: dict[str, str] = field(default_factory=dict)
    machines: dict[tuple[str, str], str] = field(default_factory=dict)
    queues: dict[str, str] = field(default_factory=dict)

    def lose(self, region: str) -> None:
        self.aws.lose(region)
        self.endpoints[region].fail()
        self.witness.answers[region] = "down"

    def lose_journal(self, region: str) -> None:
        """DynamoDB of the region is out, so that it cannot serve; its database is available."""
        self.aws.control("service", {"region": region, "service": "dynamodb", "fault": "error"})
        self.endpoints[region].fail(503, "unavailable")
        self.witness.answers[region] = "down"

    def heal(self, region: str) -> None:
        """The region is back, and fenced: so the witness still calls it down."""
        self.aws.heal(region)
        self.endpoints[region].fail(503, "fenced")

    def open(self, region: str) -> None:
        """The region's endpoints serve again, and the witness reports it up."""
        self.endpoints[region].recover()
        self.witness.answers[region] = "up"

    def pay(self, region: str, payment_id: str) -> int:
        payment = {"id": payment_id, "amount": "1.00", "currency": "EUR", "debtor": "D1", "creditor": "C1"}
        event = {
            "resource": "/payments",
            "path": "/payments",
            "httpMethod": "POST",
            "headers": {},
            "multiValueHeaders": {},
            "requestContext": {"stage": "live", "identity": {}},
            "body": json.dumps(payment),
            "isBase64Encoded": False,
        }
        answer = self.invoke("payments", region, event)
        return int(answer["statusCode"])

    def invoke(self, function: str, region: str, event: Mapping[str, Any]) -> Any:
        client = self.aws.client("lambda", region, read_timeout=120)
        answer = client.invoke(FunctionName=f"{self.name}-{function}", Payload=json.dumps(event))
        found = json.load(answer["Payload"])
        assert "FunctionError" not in answer, found
        return found

    def set_handler(self, function: str, region: str, handler: str) -> None:
        """One that is not there makes every call of the function fail."""
        client = self.aws.client("lambda", region)
        client.update_function_configuration(FunctionName=f"{self.name}-{function}", Handler=handler)

    def ledger(self, region: str) -> set[str]:
        """The payments that the region's database holds, if it is the writer."""
        # The ledger's function makes its table when it is first missed.
        if self._sql(region, "SELECT to_regclass('ledger')::text") == [None]:
            return set()
        return {str(found) for found in self._sql(region, "SELECT payment_id FROM ledger")}

    def _sql(self, region: str, statement: str) -> list[str | None]:
        answer = self.aws.client("rds-data", region).execute_statement(
            resourceArn=self.clusters[region],
            secretArn=self.aws.client("secretsmanager", region).describe_secret(SecretId=self.name)["ARN"],
            database=DATABASE,
            sql=statement,
        )
        return [row[0].get("stringValue") for row in answer["records"]]

    def control(self, region: str, key: str) -> dict[str, str]:
        item = self.aws.client("dynamodb", region).get_item(TableName=self.name, Key={"pk": {"S": key}}).get("Item", {})
        return {name: next(iter(value.values())) for name, value in item.items()}

    def run(self, machine: str, region: str, request: Mapping[str, Any], *, within: float = 300.0) -> dict[str, Any]:
        """Run a state machine to its end; its description, with the output read."""
        return self.end(self.start(machine, region, request), within=within)

    def end(self, arn: str, *, within: float = 300.0) -> dict[str, Any]:
        """The description of a run that ends, with the output read."""
        states = self.aws.client("stepfunctions", arn.split(":")[3])
        found: dict[str, Any] = eventually(
            lambda: (run := states.describe_execution(executionArn=arn))["status"] != "RUNNING" and run, within=within
        )
        assert found, f"the run did not end: {self._last_steps(states, arn)}"
        return {**found, "document": json.loads(found.get("output") or "{}")}

    @staticmethod
    def _last_steps(states: Any, execution: str) -> list[str]:
        """The results of the last steps."""
        events = states.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=20)["events"]
        kinds = ("taskSucceededEventDetails", "taskFailedEventDetails")
        return [json.dumps(each[kind])[:300] for each in events for kind in kinds if kind in each][:3]

    def start(self, machine: str, region: str, request: Mapping[str, Any]) -> str:
        started = self.aws.client("stepfunctions", region).start_execution(
            stateMachineArn=self.machines[machine, region],
            name=f"{machine}-{time.monotonic_ns()}",
            input=json.dumps(dict(request)),
        )
        return str(started["executionArn"])

    def status(self, execution: str) -> str:
        states = self.aws.client("stepfunctions", execution.split(":")[3])
        return str(states.describe_execution(executionArn=execution)["status"])

    def steps(self, execution: str) -> set[str]:
        """The states that an execution has left."""
        states = self.aws.client("stepfunctions", execution.split(":")[3])
        events = states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
        return {event["stateExitedEventDetails"]["name"] for event in events if "stateExitedEventDetails" in event}

    def members(self) -> list[dict[str, Any]]:
        """Of the global database, by RDS in us-east-2."""
        found = self.aws.client("rds", EAST_2).describe_global_clusters(GlobalClusterIdentifier=self.name)
        members: list[dict[str, Any]] = found["GlobalClusters"][0]["GlobalClusterMembers"]
        return members

    def writer(self) -> str:
        """The region of the database's writer."""
        return next(str(each["DBClusterArn"]).split(":")[3] for each in self.members() if each["IsWriter"])

    def synchronization(self) -> set[str]:
        return {str(each["SynchronizationStatus"]) for each in self.members()}

    def pass_time(self, aws_seconds: float) -> None:
        time.sleep(aws_seconds / self.speed)

    def forget_backlog(self, region: str, *, older_than: float) -> int:
        """Delete batches of a region's backlog that arrived so many AWS seconds ago; how many."""
        client, table = self.aws.client("dynamodb", region), f"{self.name}-backlog"
        since = (datetime.now(UTC) - timedelta(seconds=older_than / self.speed)).isoformat()
        old = [item for item in client.scan(TableName=table)["Items"] if item["sk"]["S"] < since]
        for item in old:
            client.delete_item(TableName=table, Key={key: item[key] for key in ("pk", "sk")})
        return len(old)

    def replays(self, region: str) -> bool:
        """Whether the ledger's replay of the backlogs could run, and has reached their end."""
        answer = self.aws.client("lambda", region, read_timeout=120).invoke(
            FunctionName=f"{self.name}-ledger", Payload=json.dumps({"operation": "replay"})
        )
        return "FunctionError" not in answer and bool(json.load(answer["Payload"])["done"])

    def reported(self, region: str) -> list[tuple[str, dict[str, Any]]]:
        """Subjects and messages that people got since the last look."""
        received = self.aws.client("sqs", region).receive_message(QueueUrl=self.queues[region], MaxNumberOfMessages=10)
        bodies = [json.loads(each["Body"]) for each in received.get("Messages", [])]
        return [(body["Subject"], json.loads(body["Message"])) for body in bodies]


@contextmanager
def health_checkers(world: RecoveryWorld) -> Iterator[None]:
    """Route 53's health checkers at work: without their calls, a region that cannot reach its peer posts nothing."""
    ended = threading.Event()
    event = {
        "resource": "/health",
        "path": "/health",
        "httpMethod": "GET",
        "headers": {"User-Agent": "Amazon-Route53-Health-Check-Service (ref test; report http://amzn.to/1vsZADi)"},
        "multiValueHeaders": {},
        "requestContext": {"stage": "live", "identity": {}},
        "body": None,
        "isBase64Encoded": False,
    }

    def check(region: str) -> None:
        client = world.aws.client("lambda", region, read_timeout=30)
        while not ended.wait(0.5):
            with suppress(ClientError, BotoCoreError):  # the region is lost
                client.invoke(FunctionName=f"{world.name}-health", Payload=json.dumps(event))["Payload"].read()

    checkers = [threading.Thread(target=check, args=(region,), daemon=True) for region in (EAST_1, EAST_2)]
    for each in checkers:
        each.start()
    try:
        yield
    finally:
        ended.set()
        for each in checkers:
            each.join(60)
