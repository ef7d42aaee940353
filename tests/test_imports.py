"""Imports run one way between the folders and between the packages of a folder."""

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
    "localaws": {"localaws"},
    "ops": {"ops", "drill", "shared"},
    "policy": {"policy", "shared"},
}

PACKAGES = {
    "components": {
        "backup": "",
        "compute": "monitoring",
        "database": "",
        "edge": "ingress",
        "failover": "database workload",
        "fault_injection": "",
        "global_stack": "backup compute database edge failover fault_injection monitoring storage workload",
        "ingress": "compute storage",
        "messaging": "monitoring",
        "monitoring": "",
        "network": "",
        "region": (
            "backup compute database failover fault_injection ingress messaging monitoring network storage workload"
        ),
        "storage": "",
        "workload": "compute database edge messaging monitoring network storage",
    },
    "drill": {
        "actions": "model observe preflight",
        "cli": (
            "engine model observe preflight report runlog scenarios scenarios.deployed scenarios.simulated verdict"
        ),
        "engine": ("actions load model observe preflight probes report runlog scenarios scenarios.deployed verdict"),
        "load": "model",
        "model": "",
        "observe": "load model preflight",
        "preflight": "",
        "probes": "actions model observe preflight",
        "report": "model observe runlog scenarios verdict",
        "report.templates": "",
        "runlog": "",
        "scenarios": "model scenarios.deployed scenarios.simulated",
        "scenarios.deployed": "actions model probes",
        "scenarios.simulated": "actions model probes",
        "verdict": "model observe",
    },
    "functions": {
        "common": "",
        "common.control": "",
        "health": "common common.control",
        "ledger": "common common.control",
        "orders_example": "common common.control",
        "parameter_sync": "common",
        "payments": "common common.control",
        "recovery": "common common.control",
        "sentinel": "common common.control",
    },
    "localaws": {
        "cli": "core engine",
        "core": "emulator",
        "emulator": "",
        "engine": "core provider",
        "net": "core",
        "provider": "core provider.resources",
        "provider.resources": "core",
        "pulumi_plugins": "core provider",
        "server": (
            "core emulator services services.cloudwatch services.ec2 services.elb services.globalaccelerator "
            "services.lambda_ services.rds services.route53"
        ),
        "services": "core emulator",
        "services.cloudwatch": "core emulator services.elb services.route53",
        "services.ec2": "emulator",
        "services.elb": "core emulator net",
        "services.globalaccelerator": "core emulator net services.elb",
        "services.lambda_": "core emulator net services.route53",
        "services.rds": "core emulator services.rds.postgres",
        "services.rds.postgres": "core net",
        "services.route53": "core emulator net services.elb services.globalaccelerator",
    },
    "ops": {
        "cost": "environment",
        "diagrams": "environment",
        "environment": "",
        "failover": "environment",
        "rollout": "environment",
        "state": "environment rollout",
        "teardown": "environment rollout",
    },
}
"""The packages of each folder, and which others of the same folder each may import.

A package may always import those that contain it. The test below fails for an import that is missing here, and for an
entry that no import needs.
"""


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


def modules() -> dict[str, Path]:
    """Every source file by the name it is imported by."""
    found = {}
    for folder in ALLOWED:
        for file in files(folder):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def references(name: str, file: Path, known: dict[str, Path]) -> set[str]:
    """The modules of ours that a file imports, inside functions too. A package's `__init__` may import its own modules,
    and each of them imports the package by being in it: that is no circle."""
    tree, found = ast.parse(file.read_text()), set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
            start = ".".join([*package[: len(package) + 1 - node.level], *filter(None, [node.module])])
            base = start if node.level else str(node.module)
            inner = {f"{base}.{alias.name}" for alias in node.names}
            found |= {each if each in known else base for each in inner}
    if name.startswith("functions."):  # a function's archive holds its own folder and `common` at the top
        found |= {f"functions.{each}" for each in found}
    return {each for each in found if each in known and not name.startswith(f"{each}.")} - {name}


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """Modules that import each other, directly or not (Tarjan's strongly connected components of two or more)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for target in edges[node]:
            if target not in order:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], order[target])
        if low[node] == order[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1:
                found.append(sorted(component))

    for node in edges:
        if node not in order:
            visit(node)
    return found


def test_no_files_import_each_other_in_a_circle() -> None:
    known = modules()

    assert circles({name: references(name, file, known) for name, file in known.items()}) == []


def package(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).parent.parts)


def package_imports(folder: str) -> dict[str, set[str]]:
    """By package of the folder: the other packages of that folder that its files import, but those it lies in."""
    known, found = modules(), {f"{folder}.{name}": set[str]() for name in PACKAGES[folder]}
    for file in files(folder):
        source = package(file)
        name = next(each for each, path in known.items() if path == file)
        targets = {package(known[each]) for each in references(name, file, known)}
        others = {each for each in targets if top(each) == folder and not f"{source}.".startswith(f"{each}.")}
        if source != folder:
            found.setdefault(source, set()).update(others)
    return found


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_package_imports_what_the_table_allows(folder: str) -> None:
    allowed = {
        f"{folder}.{name}": {f"{folder}.{each}" for each in may.split()} for name, may in PACKAGES[folder].items()
    }

    assert package_imports(folder) == allowed


@pytest.mark.parametrize("folder", PACKAGES)
def test_no_packages_import_each_other_in_a_circle(folder: str) -> None:
    assert circles(package_imports(folder)) == []


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [["b", "c"]]
