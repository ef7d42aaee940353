"""`python -m localaws up`: start the embedded AWS, deploy the three stacks, tell the addresses, stay until the end."""

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localaws.cli import display as cli_display
from localaws.cli import redeploy
from localaws.cli.display import Display
from localaws.cli.redeploy import Deployer
from localaws.cli.running import Failed, Lock, Running
from localaws.core import endpoints_file
from localaws.core.environment import collect_rarely
from localaws.engine import DeployError, Deployment, deploy_in_child, project
from localaws.engine.deploy import PROGRAMS, STACKS, Overrides
from localaws.process import launch
from localaws.process.launch import RunningServer, StartError
from shared import client_keys
from shared.places import Place
from shared.settings import EnvironmentSettings, SettingsError, load

_READY = 120.0  # seconds until load balancers and databases must be up
_LOOK = 0.2
CLIENT = "rehearsal"  # who the payments on this machine are from


def up(environment: str, speed: float, directory: Path, display: Display) -> None:
    """Run until Ctrl-C, SIGTERM, or `down`. Raises NotPossible if one runs already, Failed if it does not come up."""
    collect_rarely()
    directory = directory.resolve()
    regions = _regions(environment)
    lock = Lock(directory)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    log_file = directory / "server.log"
    try:
        server = launch.start(
            log_file=log_file,
            speed=speed,
            regions=regions,
            remove_at_end=[
                directory / name for name in (endpoints_file.FILE, endpoints_file.CERTIFICATES, redeploy.FILE)
            ],
            keep_open=[lock.descriptor],
        )
    except StartError as error:
        raise Failed(str(error)) from error
    try:
        _run(server, environment, directory, display)
    except KeyboardInterrupt:
        display.say("stopping")
    except DeployError as error:
        ended = server.process.poll()
        raise Failed(str(error) if ended is None else f"the server ended ({ended}); see {log_file}") from error
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # it ends already
        server.stop()


def _regions(environment: str) -> tuple[str, str]:
    """The two regions of an environment. Raises Failed for settings that cannot be deployed."""
    try:
        settings = load(EnvironmentSettings, project.load(PROGRAMS / "global", environment).config, stack=environment)
    except (SettingsError, ValueError) as error:
        raise Failed(str(error)) from error
    return settings.primary_region, settings.secondary_region


def _run(server: RunningServer, environment: str, directory: Path, display: Display) -> None:
    display.say(f"embedded AWS at {server.endpoint}, log in {directory / 'server.log'}")
    client_key = client_keys.draw()
    overrides = {str(place): {client_keys.SETTING: {CLIENT: client_key}} for place in Place}
    with display.progress(f"deploying {environment}"):
        deployment = deploy_in_child(environment, server.endpoint, progress=display.now, config_overrides=overrides)
    for stack, seconds in deployment.seconds.items():
        display.say(f"{stack}: {deployment.resources[stack]} resources in {seconds:.1f} s")
    with display.progress("waiting for load balancers and databases"):
        content = _when_ready(server, environment, directory, deployment, client_key, display)
    deployer = Deployer(directory, lambda stacks: _again(deployment, server.endpoint, overrides, stacks))
    endpoints_file.write(directory, content)
    display.table(*cli_display.addresses(content))
    display.say("Ctrl-C ends it; `python -m localaws outage <region>` takes a region away")
    try:
        while server.process.poll() is None:
            deployer.serve(_LOOK)
    finally:
        deployer.close()
    if code := server.process.returncode:
        raise Failed(f"the server ended ({code}); see {directory / 'server.log'}")


def _again(deployment: Deployment, endpoint: str, overrides: Overrides, stacks: Sequence[str]) -> dict[str, Any]:
    """Run programs once more: what that changed, by stack, with the URNs; or why it could not."""
    if unknown := set(stacks) - set(STACKS):
        return {"error": f"there is no stack {', '.join(sorted(unknown))}; use {', '.join(STACKS)}"}
    wanted = [stack for stack in STACKS if stack in stacks] or STACKS
    try:
        again = deploy_in_child(
            deployment.environment, endpoint, stacks=wanted, state=deployment.state, config_overrides=overrides
        )
    except DeployError as error:
        return {"error": str(error)}
    return {
        "stacks": {
            stack: {
                "registered": again.resources[stack],
                "created": changes.created,
                "updated": changes.updated,
                # The runner refuses what AWS could only replace; see the known differences.
                "replaced": [],
                "deleted": changes.deleted,
            }
            for stack, changes in again.changes_by_stack.items()
        }
    }


def _when_ready(
    server: RunningServer,
    environment: str,
    directory: Path,
    deployment: Deployment,
    client_key: str,
    display: Display,
) -> dict[str, Any]:
    """Wait until load balancers and databases are up; returns what `endpoints.json` tells."""
    told = Running(server.control, directory, {})
    cells = endpoints_file.region_outputs(deployment.outputs)
    balancers = {cell.ingress.nlb_arn.split("/")[-2]: region for region, cell in cells.items()}
    deadline = time.monotonic() + _READY
    missing: list[str] = ["everything"]
    while time.monotonic() < deadline:
        status = told.get("status")
        missing = _missing(status, balancers)
        if not missing:
            return endpoints_file.describe(
                environment=environment,
                endpoint=server.endpoint,
                control=server.control,
                directory=directory,
                outputs=deployment.outputs,
                seconds=deployment.seconds,
                status=status,
                addresses=told.get("addresses"),
                client_key=client_key,
            )
        display.now(f"waiting for {', '.join(missing)}")
        try:
            server.process.wait(timeout=_LOOK)
            break
        except subprocess.TimeoutExpired:
            continue
    raise Failed(f"not ready after {_READY:g} s: {', '.join(missing)}; see {directory / 'server.log'}")


def _missing(status: Mapping[str, Any], balancers: Mapping[str, str]) -> list[str]:
    """What is not up yet: load balancers (by name, with their regions) without a healthy target, and databases."""
    missing = []
    for name, region in balancers.items():
        states = [row["state"] for row in status["targets"] if row["load_balancer"] == name]
        if not states or set(states) != {"healthy"}:
            missing.append(f"{name} in {region} ({', '.join(states) or 'no target'})")
    missing += [f"database in {row['region']}" for row in status["databases"] if not row["running"]]
    return missing
