"""The committed settings files."""

from itertools import combinations

import pytest
import yaml

from shared.settings import load
from shared.settings_example import MODELS, STACKS, render

PROFILES = ("dev", "prod")


def config(stack: str, profile: str) -> dict[str, str]:
    values = yaml.safe_load((STACKS / stack / f"Pulumi.{profile}.yaml").read_text())["config"]
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in values.items()}


@pytest.mark.parametrize("stack", MODELS)
def test_the_example_matches_the_models(stack: str) -> None:
    written = (STACKS / stack / "Pulumi.example.yaml").read_text()

    assert written == render(stack), "run python -m shared.settings_example"


@pytest.mark.parametrize("stack", MODELS)
def test_the_example_is_a_settings_file_with_the_defaults(stack: str) -> None:
    assert load(MODELS[stack], config(stack, "example"), stack="dev") == load(MODELS[stack], {}, stack="dev")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("stack", MODELS)
def test_a_profile_is_accepted(stack: str, profile: str) -> None:
    assert load(MODELS[stack], config(stack, profile), stack=profile).suffix == profile


@pytest.mark.parametrize("profile", PROFILES)
def test_the_stacks_of_a_profile_agree_on_what_they_share(profile: str) -> None:
    for one, other in combinations(MODELS, 2):
        a, b = config(one, profile), config(other, profile)
        shared = (set(a) & set(b)) | {"network:zones", "network:nat", "dr:protection"}

        assert {key: a.get(key) for key in shared} == {key: b.get(key) for key in shared}, f"{one} and {other}"


def test_production_may_protect_and_development_may_not() -> None:
    protected = {profile: config("global", profile).get("dr:protection", "false") for profile in PROFILES}

    assert protected == {"dev": "false", "prod": "true"}
