"""Contract of `localaws.emulator` with the pinned ministack, generated from the registry of patches and the modules.

What the patches do is what other tests see over HTTP. Run on an upgrade of ministack.
"""

import ast
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws import emulator
from localaws.emulator.patches import PATCHED

MODULES = sorted(Path(emulator.__file__).parent.glob("*.py"))


def names_of_ministack(tree: ast.Module) -> dict[str, str]:
    """The imports of a module from ministack: its name there to "module" or "module:name"."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("ministack"):
            for alias in node.names:
                is_package = node.module in ("ministack", "ministack.core", "ministack.services")
                imported = f"{node.module}.{alias.name}" if is_package else f"{node.module}:{alias.name}"
                found[alias.asname or alias.name] = imported
    return found


def uses(file: Path) -> Iterator[tuple[str, int | None, list[str]]]:
    """Every name of ministack that a module uses, and for a call its positional arguments and keywords.

    A call with starred arguments counts as no call.
    """
    tree = ast.parse(file.read_text())
    imported = names_of_ministack(tree)
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        path: list[str] = []
        root: ast.expr | None = node if isinstance(node, ast.Attribute | ast.Name) else None
        while isinstance(root, ast.Attribute):
            path.insert(0, root.attr)
            root = root.value
        if not (isinstance(root, ast.Name) and root.id in imported) or not (path or id(node) in calls):
            continue
        module, _, name = imported[root.id].partition(":")
        call = calls.get(id(node))
        plain = call and not any(isinstance(each, ast.Starred) for each in call.args)
        plain = plain and all(each.arg for each in call.keywords) if call else False
        yield (
            f"{module}:{'.'.join(filter(None, [name, *path]))}",
            len(call.args) if call and plain else None,
            [str(each.arg) for each in call.keywords] if call and plain else [],
        )


USES = {f"{name} {count} {words}": (name, count, words) for file in MODULES for name, count, words in uses(file)}

# In a process of its own: importing ministack starts threads and reads the environment, and nothing is patched there.
PROGRAM = """
import importlib, inspect, json, sys
from localaws.emulator import patches

def form(value):
    return str(inspect.signature(value)) if inspect.isroutine(value) else type(value).__name__

def problem(name, count, words):
    module, _, path = name.partition(":")
    found = importlib.import_module(module)
    for part in path.split("."):
        if not hasattr(found, part):
            return f"{part} is missing"
        found = getattr(found, part)
    if count is not None:
        try:
            signature = inspect.signature(found)
        except ValueError:  # of a builtin
            return None
        try:
            signature.bind(*range(count), **dict.fromkeys(words))
        except TypeError as error:
            return str(error)

uses = json.loads(sys.stdin.read())
print(json.dumps([
    {name: form(patches.original(name)) for name in patches.PATCHED},
    {key: problem(*use) for key, use in uses.items()},
    patches.original("core.lambda_runtime:_PYTHON_WORKER_SCRIPT"),
]))
"""


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], dict[str, str | None], str]:
    """Forms of the patched names, problems of the uses, and the worker's script."""
    folder = str(tmp_path_factory.mktemp("home"))
    environment = {"HOME": folder, "TMPDIR": folder, "GATEWAY_PORT": "1", "DOCKER_HOST": f"unix://{Path(folder)}/none"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(USES), env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    forms, problems, script = json.loads(done.stdout.splitlines()[-1])
    return forms, problems, script


def test_a_patched_name_has_the_form_in_the_registry(ministack: Any) -> None:
    assert ministack[0] == {name: form for name, (form, *_) in PATCHED.items()}


def test_every_name_that_a_module_uses_is_there_and_takes_the_arguments_it_is_given(ministack: Any) -> None:
    assert len(USES) > 150, "the modules are not read as they should be"
    assert {key: problem for key, problem in ministack[1].items() if problem} == {}


def test_the_worker_script_answers_for_an_exception_in_the_words_we_replace(ministack: Any) -> None:
    assert ministack[2].count(emulator.lambda_.HANDLER_ERROR) == 1


def test_what_replaces_a_name_is_a_function_of_this_package() -> None:
    functions = {
        name
        for module in vars(emulator).values()
        if inspect.ismodule(module)
        for name, _ in inspect.getmembers(module, inspect.isfunction)
    }

    assert {layer for _, *layers in PATCHED.values() for layer in layers} <= functions


def test_nothing_but_the_registry_replaces_a_name() -> None:
    wrong = []
    for file in MODULES:
        tree = ast.parse(file.read_text())
        imported = names_of_ministack(tree)
        targets = [each for node in ast.walk(tree) if isinstance(node, ast.Assign) for each in node.targets]
        for target in targets:
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in imported:
                wrong.append(f"{file.name}: {ast.unparse(target)}")

    assert not wrong


def test_patches_are_applied_in_the_order_of_the_registry_and_taken_off_again(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules[__name__]
    monkeypatch.setitem(sys.modules, "ministack.patched_here", module)
    monkeypatch.setitem(PATCHED, "patched_here:greet", ("(name)", "inner", "outer"))

    def greetings() -> str:
        return greet("you")

    undo_outer = outer()
    undo_inner = inner()
    assert greetings() == "<(you)>"
    inner()  # replaces its former patch
    undo_inner()
    assert greetings() == "<(you)>", "the former patch is not the one that is installed"
    undo_outer()
    assert greetings() == "(you)"
    with pytest.raises(LookupError, match="foreign is not in the table"):
        foreign()


def greet(name: str) -> str:
    return name


def inner() -> emulator.patches.Undo:
    return emulator.patches.patch("patched_here:greet", lambda original, name: f"({original(name)})")


def outer() -> emulator.patches.Undo:
    return emulator.patches.patch("patched_here:greet", lambda original, name: f"<{original(name)}>")


def foreign() -> None:
    emulator.patches.patch("patched_here:greet", lambda original, name: original(name))
