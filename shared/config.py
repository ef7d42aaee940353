"""Pulumi's configuration as the plain mapping that `shared.settings` checks."""

import json
from typing import TypeVar

import pulumi
from pulumi.runtime import config as runtime_config

from shared.places import PROJECTS
from shared.settings import SECRETS, EnvironmentSettings, SettingsError, file_of, load

Model = TypeVar("Model", bound=EnvironmentSettings)
_FOLDERS = {project: folder for folder, project in PROJECTS.items()}


class InvalidSettingsError(SettingsError, pulumi.RunError):
    """Settings with which this stack cannot be deployed. Pulumi prints its message alone, without a traceback."""


def read(model: type[Model]) -> Model:
    """The settings of this stack. Raises InvalidSettingsError before any resource is registered."""
    try:
        return load(model, _given(), stack=pulumi.get_stack(), source=_file())
    except SettingsError as error:
        raise InvalidSettingsError(str(error)) from None


def invalid(*problems: str) -> InvalidSettingsError:
    """The error for problems that only the components find, each with the settings file of this stack."""
    return InvalidSettingsError("\n".join(f"{each} ({_file()})" for each in problems))


def secrets(key: str) -> dict[str, pulumi.Output[str]]:
    """A secret setting that is a JSON object of texts, each in an envelope of its own; empty when it is not set.

    Its member names are no secret: they name resources. Raises InvalidSettingsError for anything else, without showing
    it.
    """
    # Not by `pulumi.Config`, whose error for what is no JSON quotes it.
    text = _given().get(key)
    try:
        values = json.loads(text) if text else {}
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(isinstance(each, str) for each in values.values()):
        raise invalid(f"{key} is no JSON object of texts; set it as one")
    if problems := list(SECRETS[key](values)):
        raise invalid(*(f"{key}: {each}" for each in problems))
    return {member: pulumi.Output.secret(value) for member, value in sorted(values.items())}


def _given() -> dict[str, str]:
    """Every setting of this stack as text, secret ones in clear."""
    given = {**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}


def _file() -> str:
    project = pulumi.get_project()
    return file_of(_FOLDERS.get(project, project), pulumi.get_stack())
