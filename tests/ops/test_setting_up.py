"""`init` and `doctor`: what is there is kept, what is missing is made once, what is wrong is named with its remedy."""

import shutil
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from ops.environment import settings
from ops.rollout import doctor, pulumi_cli
from ops.rollout.doctor import Room, findings, python_version, state_survives
from ops.rollout.finding import State
from shared.places import Place
from shared.settings import RegionSettings
from tests.ops.conftest import Ops
from tests.ops.stand_in import Answer, Call, PulumiStandIn

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = RegionSettings.model_validate({"dr:environment": "dev", "dr:suffix": "dev", "network:nat": "per-zone"})


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stack folders of our own, without settings of any environment."""
    stacks = tmp_path / "stacks"
    for stack in ("primary", "secondary", "global"):
        (stacks / stack).mkdir(parents=True)
        shutil.copy(ROOT / "stacks" / stack / "Pulumi.yaml", stacks / stack)
    monkeypatch.setattr(pulumi_cli, "STACKS", stacks)
    for function in (settings.settings_file, settings.read, settings.read_region):
        monkeypatch.setattr(function, "__defaults__", (stacks,))
    return stacks


ANSWERS = "\nus-west-2\npayments\n\nnone\nsre@example.com\nawskms://alias/state?region=us-west-2\n"


def test_a_new_environment_is_asked_for_once_and_written_for_all_three_stacks(
    checkout: Path, pulumi: PulumiStandIn, ops: Ops
) -> None:
    answer = ops("init", "--env", "blue", typed=ANSWERS)

    assert answer.exit_code == 0, answer.output
    found = settings.read("blue")
    assert (found.primary_region, found.secondary_region, found.nat) == ("us-east-1", "us-west-2", "none")
    regional = yaml.safe_load((checkout / "primary" / "Pulumi.blue.yaml").read_text())["config"]
    assert regional["alarms:email"] == "sre@example.com"
    assert regional["pulumi:disable-default-providers"] == ["aws"]
    assert "alarms:email" not in (checkout / "global" / "Pulumi.blue.yaml").read_text()
    assert [(call.stack, call.words) for call in pulumi.of("stack init")] == [
        (
            stack,
            [
                "stack",
                "init",
                "blue",
                "--secrets-provider",
                "awskms://alias/state?region=us-west-2",
                "--non-interactive",
            ],
        )
        for stack in ("primary", "secondary", "global")
    ]


def test_a_second_run_changes_and_asks_nothing(checkout: Path, pulumi: PulumiStandIn, ops: Ops) -> None:
    ops("init", "--env", "blue", "--yes")
    before = {file: file.read_text() for file in checkout.rglob("*.yaml")}
    made = len(pulumi.of("stack init"))

    answer = ops("init", "--env", "blue")

    assert answer.exit_code == 0, answer.output
    assert {file: file.read_text() for file in checkout.rglob("*.yaml")} == before
    assert len(pulumi.of("stack init")) == made == 3


@pytest.mark.usefixtures("pulumi")
def test_a_stack_that_lacks_settings_gets_those_that_the_others_have(checkout: Path, ops: Ops) -> None:
    ops("init", "--env", "blue", typed=ANSWERS)
    (checkout / "global" / "Pulumi.blue.yaml").unlink()

    answer = ops("init", "--env", "blue", "--yes")

    assert answer.exit_code == 0, answer.output
    assert settings.read("blue").secondary_region == "us-west-2"


@pytest.mark.parametrize("name", ["Production", "a", "longer-than-twelve"])
def test_a_name_that_resources_cannot_carry_is_refused_first(pulumi: PulumiStandIn, ops: Ops, name: str) -> None:
    answer = ops("init", "--env", name, "--yes")

    assert answer.exit_code == 2
    assert not pulumi.calls


@pytest.mark.usefixtures("checkout")
def test_nobody_logged_in_is_logged_in_where_asked(pulumi: PulumiStandIn, ops: Ops) -> None:
    pulumi.failing.add(("whoami", "global"))

    refused = ops("init", "--env", "blue", "--yes")
    answer = ops("init", "--env", "blue", "--yes", "--backend", "s3://state?region=us-east-1")

    assert refused.exit_code == 2
    assert "the Pulumi CLI is not logged in: pass --backend (BACKEND=..." in refused.output
    assert answer.exit_code == 0, answer.output
    assert [call.words for call in pulumi.of("login")] == [["login", "s3://state?region=us-east-1"]]
    assert "lost together with us-east-1" in answer.output


@pytest.mark.parametrize(
    ("url", "state"),
    [
        ("https://api.pulumi.com", State.RIGHT),
        ("s3://bucket?region=us-east-2&awssdk=v2", State.RIGHT),
        ("s3://bucket?region=us-east-1", State.UNKNOWN),
        ("s3://bucket", State.UNKNOWN),
        ("file://~", State.UNKNOWN),
    ],
)
def test_a_state_that_would_be_lost_with_the_primary_region_is_reported(url: str, state: State) -> None:
    assert state_survives(url, "us-east-1").state is state


@pytest.mark.usefixtures("account", "pulumi")
def test_a_machine_and_an_account_in_order_are_found_so(ops: Ops) -> None:
    answer = ops("doctor", "--env", "dev")

    assert answer.exit_code == 0, answer.output
    assert "dev can be deployed from here" in answer.output
    found = {each.what: each for each in findings("dev")}
    assert found["settings of dev: us-east-1 and us-east-2"].state is State.RIGHT
    assert found["us-east-2 is enabled"].state is State.RIGHT
    assert "123456789012" not in answer.output


@pytest.mark.usefixtures("account", "pulumi")
def test_a_zone_that_should_exist_is_looked_up(checkout: Path) -> None:
    for stack in ("primary", "secondary", "global"):
        config = {"dns:zoneName": "dr.example.com", "dns:createZone": False}
        (checkout / stack / "Pulumi.blue.yaml").write_text(yaml.safe_dump({"config": config}))
    missing = [each.state for each in findings("blue") if "dr.example.com" in each.what]
    boto3.client("route53").create_hosted_zone(Name="dr.example.com", CallerReference="1")

    assert missing == [State.WRONG]
    assert [each.state for each in findings("blue") if "dr.example.com" in each.what] == [State.RIGHT]


@pytest.mark.usefixtures("account")
def test_everything_that_is_wrong_is_named_with_its_remedy_and_ends_with_1(pulumi: PulumiStandIn, ops: Ops) -> None:
    def old(call: Call) -> Answer | None:
        if call.verb == "version":
            return Answer(out="v3.1.0\n")
        return Answer(err="error: not logged in", status=1) if call.verb == "whoami" else None

    pulumi.answer = old
    answer = ops("doctor", "--env", "nowhere")

    assert answer.exit_code == 1
    for words in ("v3.1.0 is older", "make init ENV=nowhere"):
        assert words in " ".join(answer.output.split())


@pytest.mark.parametrize("used", [2, 3])
def test_a_quota_without_room_for_the_environment_is_wrong(used: int) -> None:
    """Three NAT gateways need three addresses."""

    def client(service: str, _: str) -> Any:
        return ServiceQuotas() if service == "service-quotas" else Nothing(used)

    rooms = {each.name: each for each in doctor.room(client, "us-east-1", SETTINGS)}

    addresses = rooms["Elastic IP addresses"]
    assert (addresses.needed, addresses.limit, addresses.enough) == (3, 5, used == 2)
    assert f"--quota-code L-0263D0A3 --desired-value {used + 3} --region us-east-1" in addresses.remedy
    assert isinstance(addresses, Room)


@pytest.mark.parametrize(
    ("limit", "free", "wanted", "enough"), [(1000, 1000, 1000, True), (1000, 600, 1000, False), (10, 10, 10, True)]
)
def test_the_environments_share_of_the_accounts_concurrency_must_be_free(
    limit: int, free: int, wanted: int, enough: bool
) -> None:
    """A new account has 10, and other environments' functions have reservations too."""

    def client(service: str, _: str) -> Any:
        return ServiceQuotas(limit) if service == "service-quotas" else Nothing(0, limit, free)

    settings = SETTINGS.model_copy(update={"lambda_concurrency": wanted})
    rooms = {each.name: each for each in doctor.room(client, "us-east-1", settings)}

    found = rooms["concurrent executions of Lambda"]
    assert (found.used, found.needed, found.enough) == (limit - free, wanted, enough)
    assert "set functions:accountConcurrency" in found.remedy


def test_an_account_that_reserves_nothing_is_named() -> None:
    settings = SETTINGS.model_copy(update={"lambda_concurrency": 100})

    (small, _) = doctor._quotas(None, settings, Place.PRIMARY, deployed=True)  # type: ignore[arg-type]

    assert small.state is State.UNKNOWN
    assert "overload can starve health checks" in small.what


class ServiceQuotas:
    def __init__(self, concurrency: int = 1000) -> None:
        self._concurrency = concurrency

    def get_service_quota(self, ServiceCode: str, QuotaCode: str) -> dict[str, Any]:
        return {"Quota": {"Value": self._concurrency if ServiceCode == "lambda" else 5.0, "QuotaCode": QuotaCode}}


class Nothing:
    """Lists `count` addresses, and nothing of all else; of `limit` concurrent executions, `free` are not reserved."""

    def __init__(self, count: int, limit: int = 1000, free: int = 1000) -> None:
        self._count = count
        self._limits = {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": free}

    def can_paginate(self, _: str) -> bool:
        return False

    def __getattr__(self, operation: str) -> Any:
        found = {
            "describe_addresses": {"Addresses": [{}] * self._count},
            "describe_vpcs": {"Vpcs": []},
            "describe_load_balancers": {"LoadBalancers": []},
            "describe_db_clusters": {"DBClusters": []},
            "get_account_settings": {"AccountLimit": self._limits},
        }
        return lambda **_: found[operation]


def test_an_old_python_is_wrong() -> None:
    assert python_version((3, 10)).state is State.WRONG
    assert python_version((3, 14)).state is State.RIGHT
