"""The environment of a Pulumi CLI that deploys to the embedded AWS: backend, passphrase, plugins and endpoint.

Everything is in one folder, which the user's own Pulumi installation does not see: state, home of the CLI, executables.
"""

import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from localaws.pulumi_plugins import launcher

PACKAGES = ("aws", "random", "tls")
PROVIDER = "LOCALAWS_PROVIDER"
"""The environment variable that selects the AWS provider: `localaws` by default, or `aws` for the one that the user
installed."""
LANGUAGE_HOST = "pulumi-language-python"
_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parent.parent
_LOOPBACK = "127.0.0.1,localhost"
_FORGOTTEN = (
    "AWS_CA_BUNDLE",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_SESSION_TOKEN",
    "PULUMI_ACCESS_TOKEN",
    "PULUMI_CONFIG_PASSPHRASE",
    "PULUMI_STACK",
)


def variables(
    endpoint: str, account: str, folder: Path, providers: str, environment: Mapping[str, str] = os.environ
) -> dict[str, str | None]:
    """The variables to set in `environment`; None for one to remove. Makes `folder` and what belongs into it.

    `providers` is the address of the process that serves the providers. Raises ValueError for an unknown provider.
    """
    folder = folder.resolve()
    for name in ("state", "home"):
        (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    plugins = _executables(folder, environment.get("PATH", ""))
    _choose_provider(folder, environment)
    no_proxy = ",".join(filter(None, (environment.get("NO_PROXY") or environment.get("no_proxy"), _LOOPBACK)))
    return {
        **dict.fromkeys(_FORGOTTEN, None),
        launcher.ADDRESS: providers,
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(_passphrase(folder / "passphrase")),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PATH": os.pathsep.join([*map(str, plugins), environment.get("PATH", "")]),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "embedded",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }


def _executables(folder: Path, path: str) -> list[Path]:
    """Folders for the path: of the providers, and of the language host if the CLI's own is not there."""
    launch = f'exec "{sys.executable}" -IS "{_HERE / "launcher.py"}"'
    for package in PACKAGES:
        _write(folder / "providers" / f"pulumi-resource-{package}", f'{launch} {package} "$@"')
    host = folder / "host"
    imported = (
        f"import sys; sys.path.insert(0, '{_ROOT}'); from {__package__} import language_host as host; host.main()"
    )
    _write(host / LANGUAGE_HOST, f'exec "{sys.executable}" -c "{imported}" "$@"')
    return [folder / "providers", *([] if has_language_host(path) else [host])]


def _choose_provider(folder: Path, environment: Mapping[str, str]) -> None:
    """With the real AWS provider, the plugins that the user installed are there too, and ours for AWS is not."""
    provider, installed = environment.get(PROVIDER) or "localaws", folder / "home" / "plugins"
    if provider not in ("localaws", "aws"):
        raise ValueError(f"{PROVIDER} is {provider}; use localaws or aws")
    if installed.is_symlink():
        installed.unlink()
    if provider == "aws":
        shutil.rmtree(installed, ignore_errors=True)
        (folder / "providers" / "pulumi-resource-aws").unlink()
        installed.symlink_to(Path(environment.get("PULUMI_HOME") or Path.home() / ".pulumi").absolute() / "plugins")


def has_language_host(path: str) -> bool:
    """Whether the CLI was installed with its own language host, which is then beside it or on the path."""
    cli = shutil.which("pulumi", path=path)
    return shutil.which(LANGUAGE_HOST, path=path) is not None or (
        cli is not None and (Path(cli).resolve().parent / LANGUAGE_HOST).exists()
    )


def _write(file: Path, command: str) -> None:
    """An executable shell script, which notes the process that started it, before anything slow.

    Written under another name first, as another process may be starting it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(f"#!/bin/sh\nexport {launcher.STARTER}=$PPID\n{command}\n")
    partial.chmod(0o755)
    partial.replace(file)


def _passphrase(file: Path) -> Path:
    """A file with a random passphrase that only its user can read, made once."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file
    with os.fdopen(descriptor, "w") as opened:
        opened.write(secrets.token_urlsafe(24))
    return file
