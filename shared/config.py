"""Pulumi's configuration as the plain mapping that `shared.settings` checks."""

import json
from typing import TypeVar

import pulumi
from pulumi.runtime import config as runtime_config

from shared.settings import EnvironmentSettings, SettingsError, load

Model = TypeVar("Model", bound=EnvironmentSettings)


def read(model: type[Model]) -> Model:
    """The settings of this stack. Raises SettingsError before any resource is registered."""
    given = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    return load(model, texts, stack=pulumi.get_stack())


def secrets(key: str) -> dict[str, pulumi.Output[str]]:
    """A secret setting that is a JSON object of texts, each in an envelope of its own; empty when it is not set.

    Its member names are no secret: they name resources. Raises SettingsError for anything else, without showing it.
    """
    section, _, name = key.partition(":")
    values = pulumi.Config(section).get_object(name) or {}
    if not isinstance(values, dict) or not all(isinstance(each, str) for each in values.values()):
        raise SettingsError(f"{key} is no JSON object of texts; set it as one (Pulumi.{pulumi.get_stack()}.yaml)")
    return {member: pulumi.Output.secret(value) for member, value in sorted(values.items())}
