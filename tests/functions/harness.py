"""Shared by the tests of the functions: events of both entry points, and a function of one region."""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ConnectTimeoutError

EAST_1, EAST_2 = "us-east-1", "us-east-2"
TABLE = "journal"
CLIENT, KEY = "shop", "K3y" * 16


def hashes(**keys: str) -> str:
    """CLIENT_KEY_HASHES for clients with these keys."""
    return json.dumps({client: hashlib.sha256(key.encode()).hexdigest() for client, key in keys.items()})


@dataclass
class Tables:
    """The journal's tables of both regions; nothing is replicated unless a test sets it."""

    clients: dict[str, Any]
    silent: set[str] = field(default_factory=set)  # regions whose DynamoDB does not answer
    replicating: bool = False  # whether an item put in one region is in the other one before the put is answered

    def items(self, region: str) -> dict[str, dict[str, Any]]:
        """Every item by its key."""
        found = self.clients[region].scan(TableName=TABLE)["Items"]
        return {item["pk"]["S"]: item for item in found}

    def put(self, region: str, item: dict[str, Any]) -> None:
        self.clients[region].put_item(TableName=TABLE, Item=item)

    def connect(self, client: Any) -> None:
        """Apply the state of its region to `client`."""
        region = client.meta.region_name

        def fall_silent(**_: Any) -> None:
            if region in self.silent:
                raise ConnectTimeoutError(endpoint_url=f"https://dynamodb.{region}.amazonaws.com")

        def replicate(**_: Any) -> None:
            if self.replicating:
                for item in self.items(region).values():
                    self.put(EAST_2 if region == EAST_1 else EAST_1, item)

        client.meta.events.register_first("before-send.dynamodb", fall_silent)
        client.meta.events.register("after-call.dynamodb.PutItem", replicate)


@dataclass
class LambdaContext:
    function_name: str = "payments"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:payments"
    aws_request_id: str = "lambda-request"


def variables(region: str, **changed: str) -> dict[str, str]:
    """The environment of the function in `region`."""
    return {
        "AWS_REGION": region,
        "PLACE": "primary" if region == EAST_1 else "secondary",
        "PEER_REGION": EAST_2 if region == EAST_1 else EAST_1,
        "JOURNAL_TABLE": TABLE,
        "JOURNAL_ARBITER_REGION": EAST_1,
        "SERVICE_VERSION": "1.2.3",
        "METRICS_NAMESPACE": "Payments/test",
        "CLIENT_KEY_HASHES": hashes(**{CLIENT: KEY}),
        "PEER_TIMEOUT_MS": "5000",  # a busy machine does not keep the default
        **changed,
    }


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class Function:
    """The function in one region, invoked as an entry point does."""

    answer: Callable[[dict[str, Any], Any], dict[str, Any]]
    log: io.StringIO
    event: Callable[..., dict[str, Any]]

    def ask(self, method: str, path: str, body: str | None = None, **more: Any) -> Answer:
        raw = self.answer(self.event(method, path, body, **more), LambdaContext())
        headers = raw.get("headers") or {name: values[0] for name, values in raw["multiValueHeaders"].items()}
        return Answer(raw["statusCode"], headers, json.loads(raw["body"]))

    def pay(self, **changed: Any) -> Answer:
        return self.ask("POST", "/payments", json.dumps(payment(**changed)))

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


MakeFunction = Callable[..., Function]


def payment(**changed: Any) -> dict[str, Any]:
    """A payment's JSON; a field set to None is left out."""
    fields = {
        "id": "order-0001",
        "amount": "12.50",
        "currency": "EUR",
        "debtor": "DE89370400440532013000",
        "creditor": "FR1420041010050500013M02606",
        "reference": "Rent for Ms Grün",
        **changed,
    }
    return {name: value for name, value in fields.items() if value is not None}


def through_load_balancer(
    method: str, path: str, body: str | None, *, query: dict[str, str] | None = None, key: str | None = KEY, **more: Any
) -> dict[str, Any]:
    """An event as an ALB makes it [ALB-2]. `key` None sends no key."""
    shown = {"x-api-key": key} if key is not None else {}
    return {
        "requestContext": {
            "elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/p/1"}
        },
        "httpMethod": method,
        "path": path,
        "queryStringParameters": query or {},
        "headers": {"host": "pay.example", "x-amzn-trace-id": "Root=1-abc", **shown, **more.pop("headers", {})},
        "body": body or "",
        "isBase64Encoded": False,
        **more,
    }


def through_api_gateway(
    method: str, path: str, body: str | None, *, query: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """An event as API Gateway makes it [APIGW-7]."""
    start, _, last = path.rpartition("/")
    has_id = start == "/payments"
    headers = {"Host": "api.example", **more.pop("headers", {})}
    return {
        "resource": "/payments/{id}" if has_id else path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "pathParameters": {"id": last} if has_id else None,
        "stageVariables": None,
        "requestContext": {"stage": "live", "path": f"/live{path}", "requestId": "api-request", "identity": {}},
        "body": body,
        "isBase64Encoded": False,
        **more,
    }


EVENTS = {"load-balancer": through_load_balancer, "api-gateway": through_api_gateway}
