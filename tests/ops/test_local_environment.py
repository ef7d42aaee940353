"""`--local`: the path that leads to AWS, with another backend, other plugins and another endpoint."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.rollout import pulumi_cli
from shared.client_keys import SETTING
from tests.ops.conftest import Ops
from tests.ops.stand_in import Answer, Call, PulumiStandIn

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = {file: file.read_bytes() for file in (ROOT / "stacks").glob("*/Pulumi*.yaml")}


@pytest.fixture(autouse=True)
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process of its own, as far as a command changes it, in a folder of its own."""
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pulumi_cli, "_settings_folder", None)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    yield
    os.environ.clear()
    os.environ.update(before)


def running(pulumi: PulumiStandIn, **other: Any) -> Path:
    """The file of an embedded AWS with nothing deployed, for which the stand-in's STS answers."""
    file = Path("build/local/endpoints.json")
    file.parent.mkdir(parents=True)
    content = {
        "environment": "dev",
        "aws": pulumi.environment["AWS_ENDPOINT_URL_STS"],
        "outputs": {},
        "metadata": {"client_key": "k" * 40, "deployed_by": "pulumi"},
    }
    file.write_text(json.dumps({**content, **other}))
    return file.parent.resolve() / "pulumi"


def test_the_cli_gets_settings_backend_plugins_and_endpoint_of_its_own(pulumi: PulumiStandIn, ops: Ops) -> None:
    folder = running(pulumi)
    seen: dict[str, str] = {}

    def remember(call: Call) -> Answer | None:
        if call.verb == "preview":
            seen.update(os.environ)
        return None

    pulumi.answer = remember
    answer = ops("preview", "primary", "--env", "dev", "--local")

    assert answer.exit_code == 0, answer.output
    (preview,) = pulumi.of("preview")
    assert preview.words[preview.words.index("--config-file") + 1] == str(folder / "primary" / "Pulumi.dev.yaml")
    assert seen["PULUMI_BACKEND_URL"] == f"file://{folder}/state"
    assert seen["AWS_ENDPOINT_URL"] == pulumi.environment["AWS_ENDPOINT_URL_STS"]
    assert (folder / "providers" / "pulumi-resource-aws").exists()
    assert f"{folder / 'providers'}{os.pathsep}" in seen["PATH"]
    assert sorted(call.stack for call in pulumi.of("stack init")) == ["global", "primary", "secondary"]


def test_no_file_of_the_checkout_changes_and_later_settings_count(pulumi: PulumiStandIn, ops: Ops) -> None:
    folder = running(pulumi)
    file = folder / "secondary" / "Pulumi.dev.yaml"
    ops("outputs", "--env", "dev", "--local")
    first = yaml.safe_load(file.read_text())
    file.write_text(
        yaml.safe_dump(
            {"encryptionsalt": "v1:x", "config": {SETTING: {"rehearsal": {"secure": "v1:y"}}, "dr:criticality": "high"}}
        )
    )

    ops("outputs", "--env", "dev", "--local")
    again = yaml.safe_load(file.read_text())

    assert {file: file.read_bytes() for file in COMMITTED} == COMMITTED
    assert again["encryptionsalt"] == "v1:x"
    assert again["config"] == {**first["config"], SETTING: {"rehearsal": {"secure": "v1:y"}}}
    assert len(pulumi.of("stack init")) == 5  # of the secondary stack only the first time


def test_the_client_key_is_a_secret_setting_of_the_regions(pulumi: PulumiStandIn, ops: Ops) -> None:
    running(pulumi)

    ops("outputs", "--env", "dev", "--local")

    settings = pulumi.of("config")
    assert sorted(call.stack for call in settings) == ["primary", "secondary"]
    assert all("--secret" in call.words and "k" * 40 not in call.words for call in settings)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"environment": "prod"}, "is for prod, not for dev"),
        ({"metadata": {"deployed_by": "localaws"}}, "start one with nothing deployed: make local-up EMPTY=1"),
    ],
)
def test_an_embedded_aws_that_does_not_fit_is_refused(
    pulumi: PulumiStandIn, ops: Ops, other: dict[str, Any], why: str
) -> None:
    running(pulumi, **other)

    answer = ops("deploy", "--env", "dev", "--local", "--yes")

    assert answer.exit_code == 2
    assert why in answer.output.replace("\n", " ")
    assert not pulumi.of("up")


@pytest.mark.usefixtures("pulumi")
def test_without_an_embedded_aws_the_message_names_the_command(ops: Ops) -> None:
    answer = ops("preview", "--env", "dev", "--local")

    assert answer.exit_code == 2
    assert "make local-up EMPTY=1" in answer.output
