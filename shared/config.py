"""Pulumi's configuration as the plain mapping that `shared.settings` checks."""

import json
from typing import TypeVar

import pulumi
from pulumi.runtime import config as runtime_config

from shared.settings import SECRETS, EnvironmentSettings, SettingsError, load

Model = TypeVar("Model", bound=EnvironmentSettings)


def read(model: type[Model]) -> Model:
    """The settings of this stack. Raises SettingsError before any resource is registered."""
    return load(model, _given(), stack=pulumi.get_stack())


def secrets(key: str) -> dict[str, pulumi.Output[str]]:
    """A secret setting that is a JSON object of texts, each in an envelope of its own; empty when it is not set.

    Its member names are no secret: they name resources. Raises SettingsError for anything else, without showing it.
    """
    # Not by `pulumi.Config`, whose error for what is no JSON quotes it.
    text = _given().get(key)
    source = f"Pulumi.{pulumi.get_stack()}.yaml"
    try:
        values = json.loads(text) if text else {}
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(isinstance(each, str) for each in values.values()):
        raise SettingsError(f"{key} is no JSON object of texts; set it as one ({source})")
    if problems := list(SECRETS[key](values)):
        raise SettingsError("\n".join(f"{key}: {each} ({source})" for each in problems))
    return {member: pulumi.Output.secret(value) for member, value in sorted(values.items())}


def _given() -> dict[str, str]:
    """Every setting of this stack as text, secret ones in clear."""
    given = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
