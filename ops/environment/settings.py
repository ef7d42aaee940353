"""An environment's settings as this checkout has them: `stacks/*/Pulumi.<environment>.yaml`."""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from shared.command_line import CouldNotStart
from shared.places import PROJECTS, Place
from shared.pulumi_cli import STACKS
from shared.settings import GlobalSettings, RegionSettings, SettingsError, file_of, load


def settings_file(stack: str, environment: str, stacks: Path = STACKS) -> Path:
    return stacks / stack / f"Pulumi.{environment}.yaml"


def read(environment: str, stacks: Path = STACKS) -> GlobalSettings:
    """The settings of `global`, after a check of all three stacks'. Raises CouldNotStart with every problem.

    Encrypted settings are skipped: only the Pulumi CLI can read them.
    """
    problems: list[str] = []
    found: GlobalSettings | None = None
    for stack in PROJECTS:
        file = settings_file(stack, environment, stacks)
        if not file.is_file():
            raise CouldNotStart(f"stacks/{stack} has no {file.name}: `make init ENV={environment}` writes it")
        plain, source = _plain(stack, environment, stacks), file_of(stack, environment)
        try:
            if stack == "global":
                found = load(GlobalSettings, plain, stack=environment, source=source)
            else:
                load(RegionSettings, plain, stack=environment, source=source)
        except SettingsError as error:
            problems.append(str(error))
    if problems or found is None:
        raise CouldNotStart("\n".join(problems))
    return found


def read_region(environment: str, place: Place, stacks: Path = STACKS) -> RegionSettings:
    """The settings of one regional stack. Raises SettingsError."""
    plain = _plain(str(place), environment, stacks)
    return load(RegionSettings, plain, stack=environment, source=file_of(place, environment))


def _plain(stack: str, environment: str, stacks: Path) -> dict[str, str]:
    """The stack's settings that are not encrypted, as text by their full key."""
    given = (yaml.safe_load(settings_file(stack, environment, stacks).read_text()) or {}).get("config") or {}
    return {
        key if ":" in key else f"{PROJECTS[stack]}:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in given.items()
        if value is not None and not (isinstance(value, dict) and "secure" in value)
    }


def region_of(settings: GlobalSettings, stack: str) -> str:
    """The region of a stack's default provider. `global` spans both; its provider is in the primary region."""
    return settings.secondary_region if stack == "secondary" else settings.primary_region


def place_of(region: str, regions: Mapping[Place, str], environment: str) -> Place:
    """The place of a region, given by its name or by the place's own. Raises CouldNotStart for another one."""
    for place, each in regions.items():
        if region in (each, str(place)):
            return place
    known = " and ".join(f"{each} ({place})" for place, each in regions.items())
    raise CouldNotStart(f"{region} is no region of {environment}; it is in {known}")
