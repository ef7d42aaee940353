"""Writes `Pulumi.example.yaml` of each stack from the settings' own models: `python -m shared.settings_example`.

A test checks that the committed files match the models.
"""

from pathlib import Path

from pydantic.fields import FieldInfo

from shared.settings import SECRETS, EnvironmentSettings, GlobalSettings, RegionSettings

STACKS = Path(__file__).resolve().parent.parent / "stacks"
MODELS: dict[str, type[EnvironmentSettings]] = {
    "primary": RegionSettings,
    "secondary": RegionSettings,
    "global": GlobalSettings,
}
_HEAD = """\
# Every setting of stacks/{stack} with its default. Copy what you change into Pulumi.<environment>.yaml; keys that more
# than one stack has must be the same in all of them.
config:
  # A resource that forgot its provider fails instead of landing in the wrong region.
  pulumi:disable-default-providers: ["aws"]
"""
_FROM_STACK = {"dr:environment", "dr:suffix"}


def render(stack: str) -> str:
    """The text of the stack's example file."""
    lines = [_HEAD.format(stack=stack)]
    for field in MODELS[stack].model_fields.values():
        lines.append(f"  # {_described(field)}\n  {_assignment(field)}\n")
    if MODELS[stack] is RegionSettings:
        lines += [
            f"  # Secret, as JSON: client to key. Set with `pulumi config set --secret {key}`.\n" for key in SECRETS
        ]
    return "".join(lines)


def _described(field: FieldInfo) -> str:
    if not field.description:
        raise ValueError(f"setting {field.alias} has no docstring in shared/settings.py; describe it")
    return field.description.replace("\n", " ")


def _assignment(field: FieldInfo) -> str:
    if field.alias in _FROM_STACK:
        return f"# {field.alias}: the stack's name"
    if field.default is None:
        return f"# {field.alias}:"
    value = str(field.default).lower() if isinstance(field.default, bool) else field.default
    return f"{field.alias}: {value}"


if __name__ == "__main__":
    for each in MODELS:
        (STACKS / each / "Pulumi.example.yaml").write_text(render(each))
