"""The environment the embedded AWS runs in: a short allow-list and its own settings, nothing of the user's.

ministack hands its whole environment to every Lambda, so a credential, a profile or a CA bundle of the user would reach
the handlers. `HOME` and the temp folder lie in the run's own folder: what ministack writes there vanishes with it.
"""

import gc
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

ACCOUNT = "000000000000"

# What a process needs to run and to speak the user's language; no AWS_*, no proxies, no tokens.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ")


def clean(source: Mapping[str, str]) -> dict[str, str]:
    """The variables of `source` that a server may see; TMPDIR stays, so that the user chooses the run folder."""
    return {name: source[name] for name in (*_PASSED_ON, "TMPDIR") if name in source}


def collect_rarely() -> None:
    """Let this process collect garbage less often.

    What is deployed and the SDK's classes stay, while every call makes hundreds of short-lived objects: with Python's
    own thresholds the server spends a sixth of its CPU time on searching the former for garbage.
    """
    gc.set_threshold(50_000, 20, 50)


def new_run_directory() -> Path:
    """A fresh folder for one run. Others may pass through it: PostgreSQL runs as another user below it."""
    directory = Path(tempfile.mkdtemp(prefix="localaws-"))
    directory.chmod(0o711)
    for name in ("home", "tmp"):
        (directory / name).mkdir(mode=0o700)
    return directory


def settings(run_directory: Path, port: int, region: str) -> dict[str, str]:
    """The emulator's own settings for a server on `port`. `region` serves unsigned calls that name none."""
    return {
        "HOME": str(run_directory / "home"),
        "TMPDIR": str(run_directory / "tmp"),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": region,
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_STRICT": "0",
        # Of an account in a region, as GetAccountSettings shows it; `services/lambda_/concurrency.py` has the limits.
        "LAMBDA_ACCOUNT_CONCURRENCY": "1000",
        "LAMBDA_WARM_TTL_SECONDS": "20",  # what a burst started beside a function's first worker is given back
        "AUTH": "false",
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        # A socket that is not there: ministack would otherwise remove containers of its kind from the user's Docker.
        "DOCKER_HOST": f"unix://{run_directory}/no-docker.sock",
        # A handler's SDK must not search the network for credentials.
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def apply(run_directory: Path, port: int, region: str) -> None:
    """Make this process's environment the server's. To be called before ministack is imported: it reads it once."""
    allowed = clean(os.environ)
    os.environ.clear()
    os.environ.update(allowed)
    os.environ.update(settings(run_directory, port, region))
    tempfile.tempdir = None
