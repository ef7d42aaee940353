"""Validation of documented commands without running them: `make` by the Makefile's targets and variables, our own
commands by their Typer apps, `aws` by botocore's models, `pulumi` by a list of the commands and options in use.
"""

import importlib.util
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session
import typer.main
from botocore import xform_name
from typer.core import TyperGroup

from drill.scenarios.deployed import DEPLOYED_SCENARIOS
from drill.scenarios.simulated import SCENARIOS
from localaws.__main__ import app as embedded_aws
from ops.cli import app as dr
from tests.docs.pages import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
_TARGETS = frozenset(re.findall(r"[\w-]+", " ".join(re.findall(r"^([\w -]+):(?!=)", MAKEFILE, re.MULTILINE))))
_VARIABLES = frozenset(re.findall(r"^([A-Z_]+) \?=", MAKEFILE, re.MULTILINE))
# Commands of the AWS CLI besides the services' own operations.
_AWS_ONLY = {("sso", "login"), ("s3", "cp"), ("s3", "ls"), ("s3", "sync"), ("logs", "tail"), ("configure", "sso")}
_AWS_ALWAYS = {"region", "output", "query", "profile", "no-cli-pager", "cli-binary-format"}
_PULUMI = {
    ("cancel",): {"cwd", "stack", "yes"},
    ("config", "set"): {"cwd", "stack", "secret", "path"},
    ("config", "rm"): {"cwd", "stack"},
    ("login",): set(),
    ("stack", "change-secrets-provider"): {"cwd", "stack"},
    ("stack", "export"): {"cwd", "stack", "file"},
    ("stack", "import"): {"cwd", "stack", "file"},
    ("stack", "init"): {"cwd", "secrets-provider"},
    ("stack", "ls"): {"cwd"},
    ("stack", "rm"): {"cwd", "yes"},
    ("state", "taint"): {"cwd", "stack"},
    ("state", "unprotect"): {"cwd", "stack", "all"},
}
_UNCHECKED = {"cd", "curl", "dig", "export", "git", "openssl"}
# Typer bundles click and does not export its errors; this is the base class of all usage errors.
_UsageError: Any = typer.BadParameter.__base__
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*")


def fault(text: str) -> str | None:
    """The first problem of the command; None for a valid one."""
    for part in re.split(r"\s+(?:&&|\|\||\||;)\s+", text):
        words = shlex.split(re.sub(r"\s+#\s.*$", "", part))
        while words and _ASSIGNMENT.fullmatch(words[0]):
            words.pop(0)
        if not words:
            continue
        program, *arguments = words
        if program in _UNCHECKED:
            continue
        checker = _CHECKERS.get(program.rpartition("/")[2])
        if checker is None:
            return f"unknown program {program}"
        if found := checker(arguments):
            return found
    return None


def _make(arguments: list[str]) -> str | None:
    for word in arguments:
        name, is_assignment, value = word.partition("=")
        known = _VARIABLES if is_assignment else _TARGETS
        if name not in known:
            return f"the Makefile has no {'variable' if is_assignment else 'target'} {name}"
        if name == "SCENARIO" and value not in (DEPLOYED_SCENARIOS if "drill" in arguments else SCENARIOS):
            return f"there is no scenario {value}"
    return None


def _python(arguments: list[str]) -> str | None:
    if arguments[:1] != ["-m"]:
        return "only `python -m` is documented"
    module = arguments[1]
    if module in ("drill", "localaws", "ops"):
        return f"`dr` is documented, not `python -m {module}`"
    return None if importlib.util.find_spec(module) else f"there is no module {module}"


def _dr(arguments: list[str]) -> str | None:
    if arguments[:1] == ["local"] and arguments[1:2] not in (["up"], ["graph"]):
        return _parsed(typer.main.get_command(embedded_aws), "local", arguments[1:])
    return _parsed(typer.main.get_command(dr), "dr", arguments)


def _parsed(command: Any, name: str, arguments: list[str], parent: Any = None) -> str | None:
    """Parse the arguments, subcommand by subcommand, without calling a command."""
    if arguments[-1:] == ["--help"]:
        arguments = arguments[:-1]
        if isinstance(command, TyperGroup) and not arguments:
            return None
    try:
        with command.make_context(name, list(arguments), parent=parent) as context:
            if not isinstance(command, TyperGroup):
                return None
            found, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
            return _parsed(inner, str(found), rest, context)
    except _UsageError as error:
        return f"{name}: {error.format_message()}"


def _aws(arguments: list[str]) -> str | None:
    service, operation, *rest = [*arguments, "", ""][: max(2, len(arguments))]
    if (service, operation) in _AWS_ONLY:
        return None
    session = botocore.session.get_session()
    service = {"s3api": "s3"}.get(service, service)
    if service not in session.get_available_services():
        return f"AWS has no service {service}"
    model = session.get_service_model(service)
    names = {xform_name(each, "-"): each for each in model.operation_names}
    if operation not in names:
        return f"{service} has no operation {operation}"
    shape = model.operation_model(names[operation]).input_shape
    members = {xform_name(each, "-"): each for each in (shape.members if shape else {})}
    given = _options(rest)
    if unknown := given - members.keys() - _AWS_ALWAYS - {f"no-{each}" for each in members}:
        return f"aws {service} {operation} takes no --{sorted(unknown)[0]}"
    needed = {xform_name(each, "-") for each in (shape.required_members if shape else [])}
    if missing := needed - given:
        return f"aws {service} {operation} needs --{sorted(missing)[0]}"
    return None


def _pulumi(arguments: list[str]) -> str | None:
    for length in (2, 1):
        known = _PULUMI.get(tuple(arguments[:length]))
        if known is not None:
            unknown = _options(arguments[length:]) - known
            return f"pulumi's option --{sorted(unknown)[0]} is not listed" if unknown else _folder(arguments)
    return f"pulumi {' '.join(arguments[:2])} is not listed"


def _folder(arguments: list[str]) -> str | None:
    if "--cwd" not in arguments:
        return None
    folder = arguments[arguments.index("--cwd") + 1]
    return None if (ROOT / folder / "Pulumi.yaml").is_file() else f"{folder} is no Pulumi project"


def _options(words: list[str]) -> set[str]:
    return {word[2:].partition("=")[0] for word in words if word.startswith("--")}


_CHECKERS: Mapping[str, Callable[[list[str]], str | None]] = {
    "aws": _aws,
    "dr": _dr,
    "make": _make,
    "pulumi": _pulumi,
    "python": _python,
    "python3": _python,
}
