"""Imports run one way: stacks, components, shared; functions and drill stand alone; localaws is a leaf (design §5)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"stacks", "components", "shared", "functions", "drill", "localaws", "ops", "policy", "tests"}
PULUMI_SIDE_OF_SHARED = {"shared.config", "shared.providers", "shared.references"}

ALLOWED = {
    "stacks": {"components", "shared"},
    "components": {"components", "shared"},
    "shared": {"shared"},
    "functions": set(),
    "drill": {"drill", "shared"},
    "localaws": {"localaws", "shared"},
    "ops": {"ops", "drill", "shared"},
    "policy": {"policy", "shared"},
}


def imported(file: Path) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            modules |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return modules


def top(module: str) -> str:
    return module.partition(".")[0]


def files(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"{folder} holds no source; has it moved?"
    return found


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_imports_only_what_lies_below_it(folder: str) -> None:
    wrong = {
        f"{file.relative_to(ROOT)} imports {module}"
        for file in files(folder)
        for module in imported(file)
        if top(module) in OURS - ALLOWED[folder]
    }

    assert not wrong


@pytest.mark.parametrize("folder", ["drill", "localaws", "ops"])
def test_the_drill_the_commands_and_the_embedded_aws_use_only_the_plain_side_of_shared(folder: str) -> None:
    wrong = {
        f"{file.relative_to(ROOT)} imports {module}"
        for file in files(folder)
        for module in imported(file)
        if any(module == each or module.startswith(f"{each}.") for each in PULUMI_SIDE_OF_SHARED)
    }

    assert not wrong


def test_the_plain_side_of_shared_needs_no_pulumi() -> None:
    plain = [file for file in files("shared") if f"shared.{file.stem}" not in PULUMI_SIDE_OF_SHARED]

    assert not [file.name for file in plain if any(top(module).startswith("pulumi") for module in imported(file))]


def test_only_the_policy_packs_adapter_needs_pulumi() -> None:
    """Its own environment clashes with ours: the rules must run in both."""
    apart = {ROOT / "policy" / "adapter.py", ROOT / "policy" / "__main__.py"}
    plain = [file for file in files("policy") if file not in apart]

    assert not [file.name for file in plain if any(top(module).startswith("pulumi") for module in imported(file))]


def test_a_function_imports_its_own_folder_and_what_functions_share() -> None:
    packages = {folder.name for folder in (ROOT / "functions").iterdir() if folder.is_dir()}
    wrong = {
        f"{file.relative_to(ROOT)} imports {module}"
        for file in files("functions")
        for module in imported(file)
        if top(module) in packages - {"common", file.relative_to(ROOT / "functions").parts[0]}
    }

    assert not wrong
