"""The example workload in the place of `payments`, deployed with the real programs: what clients and people see."""

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from localaws import launch
from localaws.engine import Deployment, State, deploy
from shared import client_keys
from shared.local_aws import PROGRAMS
from shared.outputs import PlainGlobalOutputs
from shared.places import Place
from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually, region_outputs
from tests.tiers import starts

SPEED = 4.0
ORDER = {"id": "order-0001", "total": "12.50", "currency": "EUR", "customer": "DE89370400440532013000"}


@dataclass(frozen=True)
class Shop:
    aws: LocalAws
    deployment: Deployment = field(repr=False)
    key: str = field(repr=False)

    @property
    def outputs(self) -> PlainGlobalOutputs:
        return PlainGlobalOutputs.from_plain(self.deployment.outputs["global"])

    def ask(self, method: str, path: str, *, key: str = "", body: object = None) -> httpx.Response:
        """Ask at the accelerator as a client would that resolved the service's name."""
        cells = region_outputs(self.deployment)
        trust = ssl.create_default_context(cadata="\n".join(cell.ingress.certificate_pem for cell in cells))
        trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        book = httpx.get(f"{self.aws.server.control}/addresses").raise_for_status().json()
        with httpx.Client(verify=trust, trust_env=False) as client:
            return client.request(
                method,
                f"https://{book[f'{self.outputs.accelerator_dns_name}:443']}{path}",
                headers={"host": cells[0].ingress.service_name, **({client_keys.HEADER: key} if key else {})},
                extensions={"sni_hostname": cells[0].ingress.service_name},
                json=body,
                timeout=60,
            )

    def is_healthy(self) -> bool:
        """Whether the targets that move traffic, behind the network load balancers, are healthy."""
        states = [row["state"] for row in self.aws.status()["targets"] if row["load_balancer"].startswith("nlb-")]
        return states == ["healthy"] * len(Place)

    def journal(self, region: str, order_id: str) -> dict[str, str]:
        found = self.aws.client("dynamodb", region).get_item(
            TableName=self.outputs.journal_table, Key={"pk": {"S": f"payment#{order_id}"}}, ConsistentRead=True
        )
        return {name: next(iter(value.values())) for name, value in found.get("Item", {}).items()}

    def row(self, order_id: str) -> list[str]:
        """The ledger's row for it, in the writer's region; nothing as long as there is no table."""
        rows = self._sql("SELECT to_regclass('ledger')::text")
        if "stringValue" not in rows[0][0]:
            return []
        columns = "amount::text || ' ' || currency || ' ' || debtor || ' ' || creditor || ' ' || posted_in"
        posted = self._sql(f"SELECT {columns} FROM ledger WHERE payment_id = :id", order_id)
        return [row[0]["stringValue"] for row in posted]

    def is_announced(self, order_id: str) -> bool:
        """Whether its row is marked, which happens after EventBridge has accepted the event."""
        ((announced,),) = self._sql("SELECT announced_at IS NOT NULL FROM ledger WHERE payment_id = :id", order_id)
        return bool(announced["booleanValue"])

    def _sql(self, statement: str, order_id: str | None = None) -> list[list[dict[str, Any]]]:
        parameters = [{"name": "id", "value": {"stringValue": order_id}}] if order_id else []
        answer = self.aws.client("rds-data", EAST_1).execute_statement(
            resourceArn=self.outputs.primary_cluster_arn,
            secretArn=self.outputs.database_secret_arn,
            database=self.outputs.database_name,
            sql=statement,
            parameters=parameters,
        )
        rows: list[list[dict[str, Any]]] = answer["records"]
        return rows


@pytest.fixture(scope="module")
@starts("nightly")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """All tests look at one deployment of the three programs with nothing changed but the workload's setting."""
    key = client_keys.draw()
    given: dict[str, dict[str, Any]] = {
        str(place): {"workload:source": "orders_example", client_keys.SETTING: {"tests": key}} for place in Place
    }
    with launch.start(log_file=tmp_path_factory.mktemp("shop") / "server.log", speed=SPEED) as server:
        deployment = deploy("dev", server.endpoint, PROGRAMS, state=State(), config_overrides=given)
        made = Shop(LocalAws(server), deployment, key)
        assert eventually(made.is_healthy, within=300), [row["state"] for row in made.aws.status()["targets"]]
        yield made


def test_health_is_answered_by_its_own_function_whatever_the_workload(shop: Shop) -> None:
    answer = shop.ask("GET", "/health")

    assert (answer.status_code, answer.json()["status"], answer.json()["region"]) == (200, "ok", EAST_1)
    assert answer.headers["x-served-by-region"] == EAST_1
    assert answer.json()["checks"]["journal"] == "ok"
    assert shop.ask("POST", "/health").status_code == 405, "the workload would ask for a client's key"


def test_an_order_is_in_the_journal_of_both_regions_before_it_is_acknowledged(shop: Shop) -> None:
    answer = shop.ask("POST", "/orders", key=shop.key, body=ORDER)

    assert (answer.status_code, answer.json()["durability"]) == (201, "both-regions"), answer.text
    here, there = (shop.journal(region, ORDER["id"]) for region in (EAST_1, EAST_2))
    assert (here["kind"], here["amount"], here["debtor"]) == ("payment", ORDER["total"], ORDER["customer"])
    assert {name: here[name] for name in ("content_hash", "accepted_at")} == {
        name: there[name] for name in ("content_hash", "accepted_at")
    }


def test_an_order_is_posted_by_the_unchanged_ledger(shop: Shop) -> None:
    order = {**ORDER, "id": "order-0002"}
    assert shop.ask("POST", "/orders", key=shop.key, body=order).status_code == 201

    rows = eventually(lambda: shop.row(order["id"]), within=120)

    assert rows == [f"12.50 EUR {ORDER['customer']} SHOP {EAST_1}"]


def test_a_posted_order_is_announced(shop: Shop) -> None:
    order = {**ORDER, "id": "order-0009"}
    assert shop.ask("POST", "/orders", key=shop.key, body=order).status_code == 201
    assert eventually(lambda: shop.row(order["id"]), within=120)

    assert eventually(lambda: shop.is_announced(order["id"]), within=120)


def test_an_order_sent_twice_is_one_and_an_id_stays_with_its_content(shop: Shop) -> None:
    order = {**ORDER, "id": "order-0003"}
    first, again = (shop.ask("POST", "/orders", key=shop.key, body=order) for _ in range(2))
    other = shop.ask("POST", "/orders", key=shop.key, body={**order, "total": "99.00"})

    assert first.json() == again.json()
    assert other.status_code == 409


def test_an_order_needs_a_clients_key_and_its_fields(shop: Shop) -> None:
    assert shop.ask("POST", "/orders", body=ORDER).status_code == 401
    assert shop.ask("POST", "/orders", key="x" * 40, body=ORDER).status_code == 401

    wrong = shop.ask("POST", "/orders", key=shop.key, body={**ORDER, "total": 12.5})
    assert (wrong.status_code, wrong.json()) == (400, {"detail": "invalid: total"})


def test_a_failovers_proof_is_taken_and_posted(shop: Shop) -> None:
    """By the region's own recovery function, which knows nothing of the workload."""
    asked = {"operation": "verify-payment", "execution": "tests", "writer_region": EAST_1}
    recovery = shop.aws.client("lambda", EAST_1, read_timeout=60)

    answer = recovery.invoke(FunctionName="function-recovery-primary-dev", Payload=json.dumps(asked))

    proof = json.load(answer["Payload"])
    assert "FunctionError" not in answer, proof
    assert (proof["durability"], shop.journal(EAST_2, proof["payment_id"])["amount"]) == ("both-regions", "0.01")
