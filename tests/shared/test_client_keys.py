"""Client keys: how they are drawn, what is refused, and that no message shows one."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from localaws.engine import program
from localaws.engine.project import Project
from shared import client_keys, config
from shared.settings import SettingsError
from tests.recorder import Refusing

A, B = "a1" * 20, "b2" * 20


def read(folder: Path, given: Any) -> dict[str, Any]:
    """The value of the setting `api:clientKeys` in a stack program."""
    text = {} if given is None else {client_keys.SETTING: given if isinstance(given, str) else json.dumps(given)}
    project = Project(stack="primary", name="dr-primary", environment="test", folder=folder, config=text)

    def main() -> None:
        for client, key in config.secrets(client_keys.SETTING).items():
            pulumi.export(client, key)

    return program.run(project, Refusing(), preview=False, workers=1, warn=print, main=main).stack_outputs


def test_a_drawn_key_is_strong_and_new() -> None:
    keys = {client_keys.draw() for _ in range(100)}

    assert len(keys) == 100
    assert all(client_keys.is_strong(key) for key in keys)


def test_each_key_is_a_secret_of_its_own(tmp_path: Path) -> None:
    exported = read(tmp_path, {"shop": A, "shop-next": B})

    assert {client: secret["value"] for client, secret in exported.items()} == {"shop": A, "shop-next": B}
    assert read(tmp_path, None) == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (f'{{"shop": "{A}"', "is no JSON object of texts; set it as one (stacks/primary/Pulumi.test.yaml)"),
        ([A], "is no JSON object of texts"),
        ({"shop": [A]}, "is no JSON object of texts"),
        ({"shop": A[:39], "till": B}, "the key of client shop is no 40 to 128 letters and digits; draw a longer one"),
        ({"shop": A + "!"}, "the key of client shop is no"),
        ({"shop": A, "till": B, "web": A}, "clients shop, web have the same key; draw one for each"),
        ({A: "shop"}, "1 of its clients have names that are no 1 to 32 lower-case letters"),
        ({"Shop": A}, "1 of its clients have names"),
    ],
    ids=["no JSON", "a list", "nested", "short", "other letters", "same", "swapped", "upper case"],
)
def test_what_cannot_be_used_is_refused_without_showing_it(tmp_path: Path, given: Any, message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, given)

    assert f"{client_keys.SETTING}" in str(refused.value)
    assert message in str(refused.value)
    assert not [key for key in (A, A[:39], B) if key in str(refused.value)]
    assert refused.value.__cause__ is None


def test_a_project_shows_no_setting(tmp_path: Path) -> None:
    project = Project(
        stack="primary",
        name="p",
        environment="test",
        folder=tmp_path,
        config={client_keys.SETTING: json.dumps({"s": A})},
    )

    assert A not in repr(project)
