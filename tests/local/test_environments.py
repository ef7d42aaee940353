"""Two environments side by side in one account, each as a client of its own sees it."""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from localaws import launch
from localaws.engine import Deployment, State, deploy, destroy
from policy.rules.names import NESTED_TYPES, names_of
from shared import client_keys
from shared.local_aws import PROGRAMS
from shared.outputs import PlainGlobalOutputs
from shared.places import Place
from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually, region_outputs
from tests.tiers import starts

SPEED = 10.0
READY = 300.0

# As unlike the development profile as can be; one environment of an account owns API Gateway's settings.
BLUE = {
    "api:manageAccount": "false",
    "database:engine": "aurora-mysql",
    "network:nat": "none",
    "network:zones": "3",
    "traffic:mode": "active-active",
}


@dataclass(frozen=True)
class Environment:
    """A deployed environment and a client that knows its accelerator, its certificates and its own key."""

    aws: LocalAws
    name: str
    state: State
    deployment: Deployment
    key: str = field(repr=False)

    @property
    def outputs(self) -> PlainGlobalOutputs:
        return PlainGlobalOutputs.from_plain(self.deployment.outputs["global"])

    def pay(self, payment_id: str) -> httpx.Response:
        """Pay at the accelerator as a client would that resolved the service's name."""
        cells = region_outputs(self.deployment)
        trust = ssl.create_default_context(cadata="\n".join(cell.ingress.certificate_pem for cell in cells))
        trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        book = httpx.get(f"{self.aws.server.control}/addresses").raise_for_status().json()
        parties = {"debtor": "DE89370400440532013000", "creditor": "FR1420041010050500013M02606"}
        with httpx.Client(verify=trust, trust_env=False) as client:
            return client.post(
                f"https://{book[f'{self.outputs.accelerator_dns_name}:443']}/payments",
                headers={"host": cells[0].ingress.service_name, client_keys.HEADER: self.key},
                extensions={"sni_hostname": cells[0].ingress.service_name},
                json={"id": payment_id, "amount": "12.50", "currency": "EUR", **parties},
                timeout=60,
            )

    def journal(self, region: str) -> str:
        """All items of its journal in one region."""
        return str(self.aws.client("dynamodb", region).scan(TableName=self.outputs.journal_table)["Items"])

    def is_healthy(self) -> bool:
        """Whether every target behind its load balancers is healthy."""
        cells = region_outputs(self.deployment)
        balancers = {cell.ingress.nlb_arn.split("/")[-2] for cell in cells}
        rows = [row for row in self.aws.status()["targets"] if row["load_balancer"] in balancers]
        return len(rows) == len(balancers) and {row["state"] for row in rows} == {"healthy"}

    def destroy(self) -> None:
        destroy(self.name, self.aws.server.endpoint, PROGRAMS, state=self.state)


@pytest.fixture(scope="module")
@starts("nightly")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with launch.start(log_file=tmp_path_factory.mktemp("environments") / "server.log", speed=SPEED) as server:
        yield LocalAws(server)


@pytest.fixture(scope="module")
def both(aws: LocalAws) -> tuple[Environment, Environment]:
    """`dev` and `blue`, ready to be paid at."""
    made = _deployed(aws, "dev", {}), _deployed(aws, "blue", BLUE)
    for environment in made:
        assert eventually(environment.is_healthy, within=READY), aws.status()["targets"]
    return made


def _deployed(aws: LocalAws, name: str, settings: Mapping[str, str]) -> Environment:
    key, state = client_keys.draw(), State()
    given: dict[str, dict[str, Any]] = {"global": dict(settings)}
    given |= {str(place): {**settings, client_keys.SETTING: {"tests": key}} for place in Place}
    return Environment(
        aws, name, state, deploy(name, aws.server.endpoint, PROGRAMS, state=state, config_overrides=given), key
    )


def test_no_two_environments_share_a_name(both: tuple[Environment, Environment]) -> None:
    dev, blue = (
        {
            (row["type"], row["region"], name)
            for row in environment.deployment.rows
            if row["type"].startswith("aws:") and row["type"] not in NESTED_TYPES
            for name in names_of(row)
        }
        for environment in both
    )

    assert min(len(dev), len(blue)) > 50
    assert not dev & blue


def test_each_is_paid_at_its_own_accelerator_and_keeps_its_own_journal(both: tuple[Environment, Environment]) -> None:
    for environment in both:
        answer = environment.pay(f"paid-to-{environment.name}")
        assert (answer.status_code, answer.json()["durability"]) == (201, "both-regions"), answer.text

    for environment in both:
        for region in (EAST_1, EAST_2):
            journal = environment.journal(region)
            assert [name for name in ("dev", "blue") if f"paid-to-{name}" in journal] == [environment.name]


def test_each_has_a_database_endpoint_of_its_own(both: tuple[Environment, Environment]) -> None:
    dev, blue = (environment.outputs.writer_endpoint for environment in both)

    assert dev.endswith(".global.rds.amazonaws.com")
    assert blue.endswith(".global.rds.amazonaws.com"), "Aurora MySQL has a writer endpoint too"
    assert dev != blue


def test_a_client_of_one_is_unknown_to_the_other(both: tuple[Environment, Environment]) -> None:
    dev, blue = both
    stranger = Environment(blue.aws, blue.name, blue.state, blue.deployment, dev.key)

    assert stranger.pay("from-a-stranger").status_code == 401
    assert blue.pay("from-a-client").status_code == 201


def test_destroying_one_leaves_the_other_working(both: tuple[Environment, Environment]) -> None:
    dev, blue = both

    dev.destroy()

    assert blue.pay("after-the-other").status_code == 201
    tables = blue.aws.client("dynamodb").list_tables()["TableNames"]
    assert tables == [blue.outputs.journal_table]
    blue.destroy()
    assert blue.aws.client("dynamodb").list_tables()["TableNames"] == []
