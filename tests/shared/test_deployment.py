"""Finding a deployed environment, and refusing what is not the one that was asked for."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from moto import mock_aws

from localaws import launch
from shared import deployment_search
from shared.deployment import Deployment, DeploymentError
from shared.deployment_search import deployed, local, refuse_foreign_account
from shared.local_endpoints import Endpoints
from shared.places import Place
from tests.drill.answers import Answers
from tests.drill.test_endpoints import content
from tests.shared.deployments import ACCOUNT, PulumiCli, outputs
from tests.tiers import starts


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PulumiCli:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return PulumiCli(folder)


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    """The stacks' folders, with no settings of this environment."""
    for name in ("primary", "secondary", "global"):
        (tmp_path / "stacks" / name).mkdir(parents=True)
    return tmp_path / "stacks"


@pytest.fixture
def caller(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS as moto has it, which takes everybody for account 111122223333."""
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
    with mock_aws():
        yield


@pytest.mark.usefixtures("caller")
def test_an_environment_is_found_through_the_cli_and_secrets_stay_hidden(cli: PulumiCli, stacks: Path) -> None:
    found = deployed("dev", stacks=stacks)

    assert found.regions == {Place.PRIMARY: "eu-west-1", Place.SECONDARY: "eu-central-1"}
    assert found.client("dynamodb", Place.SECONDARY).meta.region_name == "eu-central-1"
    assert found.client("globalaccelerator", "us-west-2").meta.region_name == "us-west-2"
    assert (found.endpoints.accelerator.host, found.endpoints.accelerator.port) == ("accelerator.example.com", 443)
    assert found.endpoints.certificates_pem == "-----primary-----\n-----secondary-----"
    assert [Path(words[words.index("--cwd") + 1]).name for words in cli.asked] == ["primary", "secondary", "global"]
    assert all(words[:4] == ["stack", "output", "--json", "--show-secrets=false"] for words in cli.asked)
    assert all(words[words.index("--stack") + 1] == "dev" for words in cli.asked)
    assert ACCOUNT not in f"{found!r} {found}"


@pytest.mark.parametrize(
    ("stderr", "remedy"),
    [
        ("error: no stack named 'dev' found", "make deploy-primary ENV=dev"),
        ("error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions", "pulumi login"),
        ("error: passphrase must be set with …", "passphrase must be set with …; set PULUMI_CONFIG_PASSPHRASE, or"),
        ("", "no reason"),
    ],
)
def test_a_failing_cli_is_reported_with_its_remedy(cli: PulumiCli, stacks: Path, stderr: str, remedy: str) -> None:
    cli.answers("primary", stderr=stderr, status=255)

    with pytest.raises(DeploymentError, match=remedy):
        deployed("dev", stacks=stacks)


@pytest.mark.parametrize("stdout", ["warning: a new version", "[]"])
def test_an_answer_that_is_no_outputs_is_reported(cli: PulumiCli, stacks: Path, stdout: str) -> None:
    cli.answers("secondary", stdout)

    with pytest.raises(DeploymentError, match="outputs of stacks/secondary are"):
        deployed("dev", stacks=stacks)


def test_a_missing_cli_is_reported_with_its_remedy(
    tmp_path: Path, stacks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("shared.pulumi_cli.BUILT", tmp_path)

    with pytest.raises(DeploymentError, match=r"the Pulumi CLI is missing.*--local"):
        deployed("dev", stacks=stacks)


FOREIGN = "999988887777"


@pytest.mark.parametrize(
    ("changes", "sides"),
    [
        ({"primary": {"ingress.nlb_arn": None}}, "dev is not deployed as a whole: RegionOutputs lacks ingress.nlb_arn"),
        ({"primary": {"place": "secondary"}}, "stack primary of dev are those of place secondary"),
        ({"secondary": {"suffix": "prod"}}, "secondary is of environment prod, stack global of dev"),
        ({"secondary": {"region": "eu-west-1"}}, "is in eu-west-1, but its ingress.nlb_arn is in eu-central-1"),
        (
            {"secondary": {"region": "eu-west-1", "ingress.nlb_arn": "any", "ingress.certificate_arn": "any"}},
            "both places of dev are in eu-west-1",
        ),
        (
            {"global": {"secondary_cluster_arn": f"arn:aws:rds:eu-north-1:{ACCOUNT}:cluster:a"}},
            "secondary is in eu-central-1, but stack global has its database member in eu-north-1",
        ),
        (
            {"secondary": {"ingress.nlb_arn": f"arn:aws:x:eu-central-1:{FOREIGN}:y"}},
            "ingress.nlb_arn of stack secondary is in account …7777",
        ),
        ({"global": {"zone_id": "[secret]"}}, "stack global of dev keeps zone_id secret"),
    ],
)
def test_outputs_that_are_not_one_environment_are_refused_naming_both_sides(
    changes: dict[str, dict[str, Any]], sides: str
) -> None:
    with pytest.raises(DeploymentError, match=sides):
        Deployment.of("dev", outputs(changes))


def test_a_stack_without_any_output_is_named() -> None:
    with pytest.raises(DeploymentError, match=r"nothing is deployed in secondary$"):
        Deployment.of("dev", outputs() | {"secondary": {}})


def test_outputs_without_an_account_are_refused() -> None:
    with pytest.raises(DeploymentError, match="no output names an account"):
        Deployment.of("dev", outputs(account=""))


@pytest.mark.usefixtures("caller")
def test_another_account_is_refused_naming_both(cli: PulumiCli, stacks: Path) -> None:
    for stack, values in outputs(account=FOREIGN).items():
        cli.answers(stack, json.dumps(values))

    with pytest.raises(
        DeploymentError, match=r"you are in account …3333, but dev is deployed in account …7777"
    ) as message:
        deployed("dev", stacks=stacks)
    assert not [account for account in (ACCOUNT, FOREIGN) if account in str(message.value)]


def test_who_asks_is_known_while_one_region_is_away() -> None:
    found = Deployment.of("dev", outputs())
    answers = Answers(found, {"GetCallerIdentity": {"Account": ACCOUNT}})
    answers.set("GetCallerIdentity", "ServiceUnavailable", Place.PRIMARY)

    refuse_foreign_account(found)
    answers.set("GetCallerIdentity", {"Account": FOREIGN}, Place.SECONDARY)

    with pytest.raises(DeploymentError, match="you are in account …7777"):
        refuse_foreign_account(found)


@pytest.mark.parametrize(
    ("settings", "sides"),
    [
        ("dr:suffix: blue", "dr:suffix blue, but what is deployed as dev has dev"),
        (
            "dr:secondaryRegion: eu-north-1",
            "dr:secondaryRegion eu-north-1, but what is deployed as dev has eu-central-1",
        ),
    ],
)
@pytest.mark.usefixtures("caller", "cli")
def test_an_environment_other_than_the_settings_mean_is_refused(stacks: Path, settings: str, sides: str) -> None:
    (stacks / "global" / "Pulumi.dev.yaml").write_text(f"config:\n  {settings}\n")

    with pytest.raises(DeploymentError, match=sides):
        deployed("dev", stacks=stacks)


@pytest.mark.usefixtures("caller")
def test_a_stack_whose_suffix_is_another_environments_is_refused(cli: PulumiCli, stacks: Path) -> None:
    for stack, values in outputs().items():
        cli.answers(stack, json.dumps(values | {"suffix": "prod"}))

    with pytest.raises(DeploymentError, match="dr:suffix dev, but what is deployed as dev has prod"):
        deployed("dev", stacks=stacks)


@pytest.fixture(scope="module")
@starts("emulator")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with launch.start(log_file=tmp_path_factory.mktemp("aws") / "server.log", profile="minimal") as server:
        yield server.endpoint


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(**changes: Any) -> Path:
        held = outputs(account="000000000000")
        names = [held[place]["ingress"]["nlb_dns_name"] for place in Place]
        addresses = {f"{name}:443": "127.0.0.1:3" for name in [*names, held["global"]["accelerator_dns_name"]]}
        path = tmp_path / "endpoints.json"
        path.write_text(json.dumps(content(outputs=held, addresses=addresses, **changes)))
        return path

    return write


def test_a_local_deployment_is_found_and_its_clients_need_nothing_of_the_users(
    aws: str, file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")

    found = local("dev", file=file(aws=aws))

    assert found.client("sts", Place.PRIMARY).get_caller_identity()["Account"] == "000000000000"
    assert found.client("s3", Place.SECONDARY).meta.endpoint_url == aws
    assert (found.endpoints.accelerator.host, found.endpoints.nlb[Place.PRIMARY].port) == ("127.0.0.1", 3)
    assert found.speed == 5.0
    assert found.local
    assert found.local.client_key.get_secret_value() not in f"{found!r}"


@pytest.mark.parametrize(
    ("environment", "changes", "why"),
    [
        ("prod", {}, "environment prod was requested, but dev runs on this machine"),
        ("dev", {"account": FOREIGN}, "several accounts: endpoints.json is in account …7777 and"),
        ("dev", {}, "AWS does not answer GetCallerIdentity.*is it still running"),
    ],
)
def test_another_local_deployment_than_asked_for_is_refused(
    file: Callable[..., Path], environment: str, changes: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.aws_sessions.LOCAL_CONFIG", Config(retries={"total_max_attempts": 1}, proxies={}))
    with pytest.raises(DeploymentError, match=why):
        local(environment, file=file(**changes))


def test_without_a_local_deployment_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="make local-up"):
        local(file=tmp_path / "endpoints.json")


def test_a_watcher_sees_the_session_of_every_client_made_afterwards(file: Callable[..., Path]) -> None:
    found = Deployment.of_local(Endpoints.read(file()))
    before = found.session(Place.PRIMARY)
    seen: list[str] = []

    found.watch(lambda session: seen.append(session.region_name))
    found.client("sqs", Place.PRIMARY)
    found.client("sns", Place.PRIMARY)
    found.client("sqs", "us-west-2")

    assert seen == ["eu-west-1", "us-west-2"]
    assert found.session(Place.PRIMARY) is not before


def test_the_default_file_is_where_make_local_up_writes_it() -> None:
    assert Path("build/local/endpoints.json") == deployment_search.LOCAL_ENDPOINTS
