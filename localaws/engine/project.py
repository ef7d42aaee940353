"""Projects to deploy: a plan from the caller, and each program's Pulumi.yaml and Pulumi.<environment>.yaml."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import yaml

ORGANIZATION = "organization"  # the literal word that self-managed backends use


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A deployment as plain data, from JSON with these keys."""

    environment: str  # dev: the Pulumi stack name
    programs: tuple[Path, ...]  # Pulumi project folders, in the order of their deployment
    regions: Mapping[str, str]  # name to a label for people; the first serves calls that name no region
    config: Mapping[str, Mapping[str, Any]] = field(repr=False)  # by program, over Pulumi.<environment>.yaml
    secret_keys: frozenset[str]  # settings that no generated name depends on
    metadata: Mapping[str, Any] = field(repr=False)  # passed on in endpoints.json

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for text that is no plan; its message shows no value, which may be secret."""
        try:
            given = json.loads(text)
            return cls(
                environment=given["environment"],
                programs=tuple(Path(folder) for folder in given["programs"]),
                regions=given["regions"],
                config=given.get("config", {}),
                secret_keys=frozenset(given.get("secret_keys", ())),
                metadata=given.get("metadata", {}),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"the deployment plan cannot be read: {type(error).__name__}") from error


@dataclass(frozen=True, kw_only=True)
class Project:
    """One Pulumi program and the settings one environment gives it."""

    stack: str  # primary, secondary or global: the name of the folder
    name: str  # dr-primary: the project name in Pulumi.yaml
    environment: str  # dev: the Pulumi stack name
    folder: Path
    config: Mapping[str, str] = field(repr=False)  # secret settings in clear

    @property
    def reference(self) -> str:
        """The name under which another program refers to this stack."""
        return f"{ORGANIZATION}/{self.name}/{self.environment}"


def locate(folder: Path, environment: str) -> Project:
    """One stack's project without its settings. Raises ValueError for a folder without Pulumi.yaml."""
    description = _description(folder)
    main = folder / str(description.get("main", "."))
    return Project(stack=folder.name, name=description["name"], environment=environment, folder=main, config={})


def load(folder: Path, environment: str, overrides: Mapping[str, Any] | None = None) -> Project:
    """One stack's project; without Pulumi.<environment>.yaml only the project's defaults and `overrides` count.

    Raises ValueError for a folder without Pulumi.yaml and for a setting that only the Pulumi CLI can decrypt.
    """
    project = locate(folder, environment)
    settings = {key: _default(value) for key, value in (_description(folder).get("config") or {}).items()}
    chosen = folder / f"Pulumi.{environment}.yaml"
    if chosen.is_file():
        settings |= (yaml.safe_load(chosen.read_text()) or {}).get("config") or {}
    settings |= overrides or {}
    config = {
        key if ":" in key else f"{project.name}:{key}": _text(key, value, chosen)
        for key, value in settings.items()
        if value is not None
    }
    return replace(project, config=config)


def _description(folder: Path) -> dict[str, Any]:
    file = folder / "Pulumi.yaml"
    if not file.is_file():
        raise ValueError(f"{folder} holds no Pulumi.yaml, so it is no stack program")
    found: dict[str, Any] = yaml.safe_load(file.read_text())
    return found


def _default(value: Any) -> Any:
    """A project-level setting is a plain value or {type, default, description}."""
    return value.get("default", value.get("value")) if isinstance(value, dict) else value


def _text(key: str, value: Any, source: Path) -> str:
    """Pulumi hands every setting to the program as a text; structured ones as JSON."""
    if isinstance(value, dict) and "secure" in value:
        raise ValueError(f"{key} is encrypted in {source.name}; give it as an override on this machine")
    if isinstance(value, str):
        return value
    return json.dumps(value)
