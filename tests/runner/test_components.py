"""Every resource type that the components and stacks name can be deployed on the embedded AWS."""

import importlib
import re
from pathlib import Path

import pulumi

from localaws.provider.resources import TABLE

ROOT = Path(__file__).parents[2]


def test_every_resource_class_that_components_and_stacks_use_is_in_the_table() -> None:
    sources = [path.read_text() for folder in ("components", "stacks") for path in (ROOT / folder).rglob("*.py")]
    named = {(module, name) for source in sources for module, name in re.findall(r"aws\.(\w+)\.([A-Z]\w+)\(", source)}
    classes = [getattr(importlib.import_module(f"pulumi_aws.{module}"), name) for module, name in named]
    types = {found.pulumi_type for found in classes if issubclass(found, pulumi.CustomResource)}

    assert len(types) > 60
    assert types <= TABLE.keys()
