"""Errors of the stack programs that a user can correct: raised as Pulumi's `RunError`, of which the CLI prints the
message alone.
"""

import re
from pathlib import Path
from typing import Any

import pulumi
import pytest

from localaws.engine import program, project
from shared.config import InvalidSettingsError
from shared.places import PROJECTS
from tests.recorder import Refusing

STACKS = Path(__file__).resolve().parents[2] / "stacks"


class _Regions(Refusing):
    """An engine in which the two regional stacks have these outputs."""

    def __init__(self, outputs: dict[str, Any]) -> None:
        super().__init__()
        self._outputs = outputs

    def reference(self, name: str) -> tuple[dict[str, Any], list[str]]:  # noqa: ARG002
        return self._outputs, []


def run(stack: str, engine: Refusing, overrides: dict[str, Any] | None = None) -> None:
    settings = project.load(STACKS / stack, "dev", overrides)
    program.run(settings, engine, preview=True, workers=1, warn=print)


@pytest.mark.parametrize("stack", PROJECTS)
def test_a_wrong_setting_is_one_line_with_file_key_and_remedy(stack: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run(stack, Refusing(), {"network:primaryCidr": "10.0.0.0/24"})

    assert str(refused.value) == (
        f"network:primaryCidr is 10.0.0.0/24; a VPC with three zones needs a /16 to /20; change the prefix "
        f"(stacks/{stack}/Pulumi.dev.yaml)"
    )
    assert refused.value.__cause__ is None


def test_every_wrong_setting_has_a_line() -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run("primary", Refusing(), {"network:zones": "7", "network:zonez": "2"})

    lines = str(refused.value).splitlines()
    assert [re.match(r"[a-z]+:\w+", line)[0] for line in lines] == ["network:zonez", "network:zones"]  # type: ignore[index]
    assert all(line.endswith("(stacks/primary/Pulumi.dev.yaml)") for line in lines)


def test_a_wrong_secret_setting_is_one_line_that_does_not_show_it() -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run("secondary", Refusing(), {"api:clientKeys": "hidden"})

    assert str(refused.value) == (
        "api:clientKeys is no JSON object of texts; set it as one (stacks/secondary/Pulumi.dev.yaml)"
    )


def test_a_wrong_setting_that_a_component_finds_is_one_line_with_file_and_key() -> None:
    elsewhere = "arn:aws:acm:eu-west-1:000000000000:certificate/1"
    with pytest.raises(InvalidSettingsError) as refused:
        run("primary", Refusing(), {"certificate:arn": elsewhere})

    assert str(refused.value) == (
        f"certificate:arn is {elsewhere}, which is not ACM's in us-east-1; give one of that region "
        "(stacks/primary/Pulumi.dev.yaml)"
    )


@pytest.mark.parametrize(
    ("outputs", "missing"),
    [({}, r"[a-z_]+(\.[a-z_]+)*"), ({"network": {}, "place": "primary"}, r"[a-z_]+(\.[a-z_]+)*")],
    ids=["not deployed", "an older version"],
)
def test_an_output_that_a_region_lacks_is_one_line_with_the_remedy(outputs: dict[str, Any], missing: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        run("global", _Regions(outputs))

    assert re.fullmatch(
        rf"stacks/(primary|secondary), stack dev, has no output {missing}: it is not deployed, or from an older "
        r"version; run make deploy-\1 ENV=dev, then this command again",
        str(refused.value),
    )
