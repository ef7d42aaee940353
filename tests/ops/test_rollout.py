"""Deploying and destroying by the stand-in for `pulumi`: order, words, refusals, and what a failure stops."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ops.environment import aws
from shared import pulumi_cli
from shared.command_line import CouldNotStart
from tests.ops.conftest import Ops
from tests.ops.stand_in import ACCOUNT, Answer, Call, PulumiStandIn

ROOT = Path(__file__).resolve().parents[2]
HERE = {"topic_arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:topic"}
ELSEWHERE = {"topic_arn": "arn:aws:sns:us-east-1:999999999999:topic"}


def has_started(pulumi: PulumiStandIn, verb: str, stack: str) -> bool:
    return any(call.stack == stack for call in pulumi.of(verb))


@pytest.mark.usefixtures("signed_in")
def test_the_regions_are_rolled_out_side_by_side_and_global_after_both(pulumi: PulumiStandIn, ops: Ops) -> None:
    both = threading.Barrier(2, timeout=120)

    def meet(call: Call) -> Answer | None:
        if call.verb == "up" and call.stack != "global":
            both.wait()
        return None

    pulumi.answer = meet
    answer = ops("deploy", "all", "--env", "dev", typed="dev\n")

    assert answer.exit_code == 0, answer.output
    ups = {call.stack: call for call in pulumi.of("up")}
    assert sorted(ups) == ["global", "primary", "secondary"]
    assert ups["global"].began > max(ups["primary"].ended, ups["secondary"].ended)
    assert {" ".join(call.words) for call in ups.values()} == {
        f"up --stack dev --skip-preview --policy-pack {ROOT / 'policy'} --yes --non-interactive"
    }
    assert f"account …{ACCOUNT[-4:]}" in answer.output
    assert "primary (us-east-1), secondary (us-east-2)" in answer.output
    assert ACCOUNT not in answer.output


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("failing", ["primary", "secondary"])
def test_a_region_that_fails_stops_global_but_not_the_other_region(
    pulumi: PulumiStandIn, ops: Ops, failing: str
) -> None:
    pulumi.failing.add(("up", failing))

    answer = ops("deploy", "--env", "dev", "--yes")

    assert answer.exit_code == 3
    assert sorted(pulumi.order("up")) == ["primary", "secondary"]
    assert f"{failing} failed; global was not touched" in answer.output
    assert f"[{failing}] error: {failing} did not work" in answer.output


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("words", [("preview", "primary"), ("deploy", "--yes"), ("refresh",)], ids=" ".join)
def test_a_wrong_passphrase_is_one_line_with_the_remedy(
    pulumi: PulumiStandIn, ops: Ops, words: tuple[str, ...]
) -> None:
    line = "error: getting stack configuration: get stack secrets manager: incorrect passphrase"
    pulumi.answer = lambda call: None if call.verb.startswith("stack") else Answer(err=f"{line}\n", status=255)

    answer = ops(*words, "--env", "dev")

    assert answer.exit_code == (3 if words[0] == "refresh" else 2)
    assert (
        f"[primary] {line}; set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, to the passphrase that the "
        "stack was created with (docs/runbooks/state.md)\n"
    ) in answer.output


@pytest.mark.usefixtures("signed_in")
def test_one_stack_is_deployed_and_nothing_else(pulumi: PulumiStandIn, ops: Ops) -> None:
    answer = ops("deploy", "secondary", "--env", "dev", "--yes")

    assert answer.exit_code == 0, answer.output
    assert pulumi.order("up") == ["secondary"]


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(("typed", "status"), [("prod\n", 2), ("", 2)])
@pytest.mark.parametrize("words", [("deploy",), ("destroy",), ("destroy", "global")], ids=" ".join)
def test_nothing_is_changed_unless_the_environments_name_is_typed(
    pulumi: PulumiStandIn, ops: Ops, words: tuple[str, ...], typed: str, status: int
) -> None:
    answer = ops(*words, "--env", "dev", typed=typed)

    assert answer.exit_code == status, answer.output
    assert not pulumi.of("up", "destroy")


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("words", [("deploy",), ("destroy",), ("destroy", "primary")], ids=" ".join)
def test_another_account_is_refused_with_both_named(pulumi: PulumiStandIn, ops: Ops, words: tuple[str, ...]) -> None:
    pulumi.outputs = {"primary": HERE, "secondary": HERE, "global": HERE}
    pulumi.outputs["primary"] = ELSEWHERE

    answer = ops(*words, "--env", "dev", "--yes")

    assert answer.exit_code == 2
    assert f"you are in account …{ACCOUNT[-4:]}, but stack primary of dev is deployed in account …9999" in answer.output
    assert not pulumi.of("up", "destroy")


@pytest.mark.usefixtures("signed_in")
def test_a_preview_asks_nobody_and_changes_nothing(pulumi: PulumiStandIn, ops: Ops) -> None:
    pulumi.outputs = {"primary": HERE, "secondary": HERE}

    answer = ops("preview", "--env", "dev")

    assert answer.exit_code == 0, answer.output
    assert {call.verb for call in pulumi.calls} == {"stack output", "preview"}
    assert {" ".join(call.words[:-1]) for call in pulumi.of("preview")} == {
        f"preview --stack dev --policy-pack {ROOT / 'policy'} --non-interactive --event-log"
    }
    assert sorted(pulumi.order("preview")) == ["global", "primary", "secondary"]


@pytest.mark.usefixtures("signed_in")
def test_before_the_first_deployment_the_regions_alone_are_previewed(pulumi: PulumiStandIn, ops: Ops) -> None:
    every = ops("preview", "--env", "dev")
    alone = ops("preview", "global", "--env", "dev")

    assert (every.exit_code, alone.exit_code) == (0, 2)
    assert sorted(pulumi.order("preview")) == ["primary", "secondary"]
    for answer in (every, alone):
        assert "global was not previewed: it reads the outputs of the regions" in answer.output


@pytest.mark.usefixtures("signed_in")
def test_refresh_and_outputs_go_to_every_stack(pulumi: PulumiStandIn, ops: Ops) -> None:
    assert ops("refresh", "--env", "dev").exit_code == 0
    answer = ops("outputs", "--env", "dev")

    assert answer.exit_code == 0
    assert sorted(pulumi.order("refresh")) == ["global", "primary", "secondary"]
    assert pulumi.order("stack output") == ["primary", "secondary", "global"]
    assert all("--show-secrets" not in call.words for call in pulumi.of("stack output"))


@pytest.mark.usefixtures("account")
def test_destroy_goes_the_other_way_round_and_refreshes_first(pulumi: PulumiStandIn, ops: Ops) -> None:
    answer = ops("destroy", "--env", "dev", "--timeout", "0", typed="dev\n")

    assert answer.exit_code == 0, answer.output
    destroyed = pulumi.of("destroy")
    assert destroyed[0].stack == "global"
    assert {call.stack for call in destroyed[1:]} == {"primary", "secondary"}
    assert min(call.began for call in destroyed[1:]) > destroyed[0].ended
    assert all("--refresh" in call.words for call in destroyed)
    assert "nothing of dev is left" in answer.output


@pytest.mark.usefixtures("account")
def test_a_global_stack_that_is_not_gone_keeps_the_regions(pulumi: PulumiStandIn, ops: Ops) -> None:
    pulumi.failing.add(("destroy", "global"))

    answer = ops("destroy", "--env", "dev", "--yes")

    assert answer.exit_code == 3
    assert pulumi.order("destroy") == ["global"]
    assert "primary and secondary was not touched" in answer.output


def test_what_is_protected_is_not_destroyed(pulumi: PulumiStandIn, ops: Ops) -> None:
    answer = ops("destroy", "--env", "prod", "--yes")

    assert answer.exit_code == 1
    assert "(dr:protection is true): set it false in" in answer.output
    assert not pulumi.calls


COMMANDS = pytest.mark.parametrize(
    "words", [("preview",), ("deploy", "--yes"), ("refresh", "--yes"), ("destroy", "--yes")], ids=" ".join
)


@COMMANDS
def test_without_the_cli_there_is_one_line_with_the_link(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(pulumi_cli, "BUILT", tmp_path)

    answer = ops(*words, "--env", "dev")

    assert answer.exit_code == 2
    assert answer.output.strip() == (
        "Not started: the Pulumi CLI is missing: https://www.pulumi.com/docs/iac/download-install/"
    )


@COMMANDS
def test_without_credentials_there_is_one_line_with_the_link(
    pulumi: PulumiStandIn, ops: Ops, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    for variable in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    answer = ops(*words, "--env", "dev")

    assert answer.exit_code == 2
    assert re.fullmatch(r"Not started: no AWS credentials: .*https://docs\.aws\.amazon\.com/\S+\n", answer.output)
    assert not pulumi.calls
    with pytest.raises(CouldNotStart):
        aws.caller("us-east-1")


@pytest.mark.usefixtures("signed_in")
def test_an_environment_without_settings_names_what_makes_them(pulumi: PulumiStandIn, ops: Ops) -> None:
    answer = ops("deploy", "--env", "nowhere", "--yes")

    assert answer.exit_code == 2
    assert "make init ENV=nowhere" in answer.output
    assert not pulumi.calls


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_reaches_each_running_stack_once_and_nothing_starts_after(
    pulumi: PulumiStandIn, number: int, status: int
) -> None:
    released = threading.Event()

    def hang(call: Call) -> Answer | None:
        if call.verb == "up":
            released.wait(20)
        return None

    pulumi.answer = hang
    words = [sys.executable, "-m", "ops", "deploy", "--env", "dev", "--yes"]
    process = subprocess.Popen(
        words, cwd=ROOT, env=pulumi.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    deadline = time.monotonic() + 120
    while not (has_started(pulumi, "up", "primary") and has_started(pulumi, "up", "secondary")):
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)

    process.send_signal(number)
    output = process.communicate(timeout=120)[0]
    released.set()

    assert process.returncode == status, output
    assert {call.stack: call.signals for call in pulumi.of("up")} == {
        "primary": [signal.SIGINT],
        "secondary": [signal.SIGINT],
    }
    assert "global was not touched" in output
