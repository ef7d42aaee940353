"""The state's move to another region, by the stand-in for `pulumi` and an account of moto's."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from ops.environment import aws
from ops.rollout import pulumi_cli
from ops.state import commands, store
from ops.state.location import Location, moved_key
from ops.state.store import Store
from shared.aws_sessions import Sessions
from shared.command_line import CouldNotStart
from tests.ops.conftest import Ops
from tests.ops.stand_in import Answer, Call, PulumiStandIn

USED, COPY = "us-east-2", "us-east-1"
STORE = Store(name="dr-state", region=USED, copy_region=COPY)
KEY = "mrk-1234"
SETTINGS = f"# a comment\nsecretsprovider: awskms://{KEY}?region={USED}\nencryptedkey: abc\nconfig:\n  dr:suffix: dev\n"


def state(region: str) -> dict[str, Any]:
    url = f"awskms://{KEY}?region={region}"
    return {
        "version": 3,
        "deployment": {"secrets_providers": {"type": "cloud", "state": {"url": url}}, "resources": []},
    }


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stacks' settings, not that of the checkout."""
    folder = tmp_path / "settings"
    for stack in ("primary", "secondary", "global"):
        (folder / stack).mkdir(parents=True)
        (folder / stack / "Pulumi.dev.yaml").write_text(SETTINGS)
    monkeypatch.setattr(pulumi_cli, "_settings_folder", folder)
    return folder


@pytest.fixture
def logged_in(
    pulumi: PulumiStandIn,
    settings: Path,  # noqa: ARG001
    account: None,  # noqa: ARG001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> PulumiStandIn:
    """A CLI that is logged in to the backend of `STORE`, which exists. It cannot ask the backend anything."""
    store.create(STORE, Sessions().client, lambda _: None)
    (tmp_path / "credentials.json").write_text(json.dumps({"current": f"{STORE.backend}&awssdk=v2"}))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    pulumi.failing = {("whoami", stack) for stack in ("primary", "secondary", "global")}
    states = {stack: state(USED) for stack in ("primary", "secondary", "global")}

    def answer(call: Call) -> Answer | None:
        if call.verb == "stack export":
            return Answer(out=json.dumps(states[call.stack]))
        if call.verb == "login":
            pulumi.url = call.words[1]
        return None

    pulumi.answer = answer
    return pulumi


def put(bucket: str, region: str, key: str = ".pulumi/stacks/dr-global/dev.json") -> None:
    s3 = boto3.client("s3", region)
    s3.delete_bucket_policy(Bucket=bucket)  # moto denies without a look at the policy's condition
    s3.put_object(Bucket=bucket, Key=key, Body=b"{}")


def replicated(monkeypatch: pytest.MonkeyPatch, *late: str) -> None:
    """moto replicates nothing and reports no status."""
    monkeypatch.setattr(commands, "_late", lambda *_: list(late))


def test_backend_settings_and_states_are_moved(
    logged_in: PulumiStandIn, ops: Ops, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replicated(monkeypatch)

    answer = ops("state", "move", "--env", "dev", "--region", COPY, typed="dev\n")

    assert answer.exit_code == 0, answer.output
    assert logged_in.url == f"s3://dr-state-{COPY}?region={COPY}&awssdk=v2"
    for stack in ("primary", "secondary", "global"):
        assert (settings / stack / "Pulumi.dev.yaml").read_text() == SETTINGS.replace(USED, COPY)
    assert sorted(logged_in.order("stack import")) == ["global", "primary", "secondary"]


def test_what_was_not_replicated_is_waited_for_and_then_refused(
    logged_in: PulumiStandIn, ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    replicated(monkeypatch, ".pulumi/stacks/dr-global/dev.json")

    answer = ops("state", "move", "--env", "dev", "--region", COPY, "--yes", "--timeout", "0")

    assert answer.exit_code == 1
    assert "1 states are not in the copy yet, such as .pulumi/stacks/dr-global/dev.json" in answer.output
    assert not logged_in.of("login", "stack import")


def test_a_lock_refuses_the_move(logged_in: PulumiStandIn, ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    replicated(monkeypatch)
    put(STORE.bucket(USED), USED, ".pulumi/locks/organization/dr-global/dev/1.json")

    answer = ops("state", "move", "--env", "dev", "--region", COPY, "--yes")

    assert answer.exit_code == 1
    assert "a deployment holds the lock .pulumi/locks/organization/dr-global/dev/1.json" in answer.output
    assert not logged_in.of("login")


def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is listed in the region of the used bucket ends in no connection."""
    listed = aws.pages

    def answer(client: Any, *words: Any, **parameters: Any) -> Any:
        if parameters["Bucket"] == STORE.bucket(USED):
            raise EndpointConnectionError(endpoint_url="https://s3")
        return listed(client, *words, **parameters)

    monkeypatch.setattr("ops.state.commands.pages", answer)


def test_a_lost_region_is_left_with_the_age_of_the_copy(
    logged_in: PulumiStandIn, ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(STORE.bucket(COPY), COPY)
    unreachable(monkeypatch)

    answer = ops("state", "move", "--env", "dev", "--region", COPY, typed="dev\n")

    assert answer.exit_code == 0, answer.output
    assert f"so {USED} counts as lost" in answer.output
    assert "(its last change is of 2" in answer.output
    assert logged_in.of("login")


def test_a_copy_without_a_state_is_no_copy(logged_in: PulumiStandIn, ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    unreachable(monkeypatch)

    answer = ops("state", "move", "--env", "dev", "--region", COPY, "--yes")

    assert answer.exit_code == 2
    assert f"dr-state-{COPY} holds no state" in answer.output
    assert not logged_in.of("login")


def test_a_bucket_that_refuses_an_answer_is_not_lost(logged_in: PulumiStandIn, ops: Ops) -> None:
    put(STORE.bucket(COPY), COPY)
    boto3.client("s3", USED).delete_bucket(Bucket=STORE.bucket(USED))

    answer = ops("state", "move", "--env", "dev", "--region", COPY, "--yes")

    assert answer.exit_code == 3
    assert "NoSuchBucket" in answer.output
    assert not logged_in.of("login")


@pytest.mark.usefixtures("logged_in")
def test_a_state_that_s3_has_not_replicated_is_late() -> None:
    key = ".pulumi/stacks/dr-global/dev.json"
    put(STORE.bucket(USED), USED, key)

    assert commands._late(boto3.client("s3", USED), STORE.bucket(USED)) == [key]


def test_keys_are_not_changed_without_a_confirmation_either(logged_in: PulumiStandIn, ops: Ops, settings: Path) -> None:
    answer = ops("state", "move", "--env", "dev", "--region", USED, typed="no\n")

    assert answer.exit_code == 2
    assert not logged_in.of("stack export", "stack import")
    assert (settings / "global" / "Pulumi.dev.yaml").read_text() == SETTINGS


@pytest.mark.parametrize(
    "url",
    ["https://api.pulumi.com", "file:///state", "s3://dr-state", "s3://dr-state-us-east-2", "s3://a?region=us-east-2"],
)
def test_a_backend_without_a_copy_is_refused(url: str) -> None:
    with pytest.raises(CouldNotStart, match="no copy of `dr state create`"):
        Location.of(url)


def test_a_key_of_one_region_is_refused_and_a_passphrase_is_in_none() -> None:
    assert moved_key("passphrase", COPY) == "passphrase"
    with pytest.raises(CouldNotStart, match="a key of one region"):
        moved_key("awskms://1234?region=us-east-2", COPY)


@pytest.mark.usefixtures("account")
def test_what_exists_of_a_backend_is_kept() -> None:
    client = Sessions().client

    first = store.create(STORE, client, lambda _: None)
    again = store.create(STORE, client, lambda _: None)

    assert again == first
    assert first.startswith("mrk-")
    for region, other in ((USED, COPY), (COPY, USED)):
        s3 = client("s3", region)
        bucket = STORE.bucket(region)
        (rule,) = s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]["Rules"]
        assert rule["Destination"]["Bucket"] == f"arn:aws:s3:::{STORE.bucket(other)}"
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        assert client("kms", region).describe_key(KeyId=STORE.alias)["KeyMetadata"]["MultiRegion"]
