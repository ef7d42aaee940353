"""Pulumi's configuration as the plain mapping that `shared.settings` checks."""

import json
from typing import TypeVar

import pulumi
from pulumi.runtime import config as runtime_config

from shared.settings import EnvironmentSettings, load

Model = TypeVar("Model", bound=EnvironmentSettings)


def read(model: type[Model]) -> Model:
    """The settings of this stack. Raises SettingsError before any resource is registered."""
    given = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    return load(model, texts, stack=pulumi.get_stack())
