"""Reads a stack's outputs with the Pulumi CLI. Changes nothing."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
STACKS = _ROOT / "stacks"
BUILT = _ROOT / "build" / "pulumi"
"""The path of the CLI that `make pulumi` builds if none is on the path."""
_SECONDS = 120.0  # a backend behind a slow line; usually two or three
_LAST_CHARACTERS = 400

# Messages of the CLI when it is not logged in (pulumi/pkg/backend/httpstate, pulumi/pulumi#13684), and for a stack that
# is not there (pkg/cmd/pulumi/stack: "no stack named '…' found").
_NOT_LOGGED_IN = ("PULUMI_ACCESS_TOKEN", "pulumi login", "not logged in")
_NO_STACK = ("no stack named", "stack not found")
_PASSPHRASE = ("manager: incorrect passphrase", "passphrase must be set")  # pulumi/pkg/secrets/passphrase/manager.go


class PulumiError(RuntimeError):
    """The CLI did not return the outputs of a stack. The message names the remedy."""


def search_path() -> str:
    """The path on which the CLI is looked up: the user's, then where `make pulumi` builds one."""
    return os.pathsep.join(filter(None, (os.environ.get("PATH"), str(BUILT))))


def with_remedy(error: str) -> str:
    """A message of the CLI, with what to do about it where the CLI does not name that."""
    if not any(words in error for words in _PASSPHRASE):
        return error
    return (
        f"{error}; set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, to the passphrase that the stack "
        "was created with (docs/runbooks/state.md)"
    )


def stack_outputs(folder: str, environment: str, *, stacks: Path = STACKS) -> dict[str, Any]:
    """All outputs of the stack `environment` in `stacks/<folder>`; secret ones stay hidden. Raises PulumiError."""
    program = shutil.which("pulumi", path=search_path())
    if program is None:
        raise PulumiError(
            "the Pulumi CLI is missing, and a deployed environment is found through it; install it "
            "(https://www.pulumi.com/docs/iac/download-install/), or use --local for one on this machine"
        )
    words = ["stack", "output", "--json", "--show-secrets=false", "--stack", environment, "--non-interactive"]
    try:
        done = subprocess.run(
            [program, *words, "--cwd", str(stacks / folder), "--color", "never"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PulumiError(f"the Pulumi CLI did not answer for stacks/{folder} in {_SECONDS:g} s") from error
    if done.returncode:
        raise PulumiError(_why(folder, environment, done.stderr.strip()))
    try:
        outputs = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise PulumiError(f"the Pulumi CLI's outputs of stacks/{folder} are no JSON: {error}") from error
    if not isinstance(outputs, dict):
        raise PulumiError(f"the Pulumi CLI's outputs of stacks/{folder} are {type(outputs).__name__}, not an object")
    return outputs


def _why(folder: str, environment: str, stderr: str) -> str:
    if any(words in stderr for words in _NO_STACK):
        return (
            f"stacks/{folder} has no stack {environment}; name another with --env (`pulumi stack ls --cwd "
            f"stacks/{folder}`), or deploy it: make deploy-{folder} ENV={environment}"
        )
    if any(words in stderr for words in _NOT_LOGGED_IN):
        return "the Pulumi CLI is not logged in; run `pulumi login`, or set PULUMI_ACCESS_TOKEN"
    reason = with_remedy(stderr[-_LAST_CHARACTERS:]) or "no reason"
    return f"the Pulumi CLI failed for stacks/{folder}, stack {environment}: {reason}"
