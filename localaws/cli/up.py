"""`python -m localaws up`: starts the embedded AWS, deploys a plan, prints the addresses, and runs until ended."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localaws import launch
from localaws.cli import display as cli_display
from localaws.cli.display import Display
from localaws.cli.recording import missing as missing_of
from localaws.cli.running import COMMAND, DEPLOYER_FILE, Deployer, Failed, Lock, Running
from localaws.core import endpoints_file
from localaws.core.environment import ACCOUNT, collect_rarely
from localaws.engine import DeployError, Deployment, deploy_in_child
from localaws.engine.project import Plan
from localaws.launch import RunningServer, StartError

PULUMI = "pulumi"
"""The folder for the state of a Pulumi CLI that deploys to this embedded AWS."""
_READY_SECONDS = 120.0  # until load balancers and databases must be up
_POLL_SECONDS = 0.2
_END_SECONDS = 20.0  # after the owner's end, until what has not ended is killed


def up(
    plan: Plan, speed: float, directory: Path, display: Display, owner: int | None, *, nlb_tail: float = 0.0
) -> None:
    """Run until Ctrl-C, SIGTERM, `down`, or the end of the pipe `owner`.

    Raises NotPossible if one runs already, Failed if it does not come up.
    """
    collect_rarely()
    directory = directory.resolve()
    lock = Lock(directory)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    if owner is not None:
        threading.Thread(target=_end_with, args=(owner,), daemon=True, name="owner").start()
    log_file = directory / "server.log"
    shutil.rmtree(directory / PULUMI, ignore_errors=True)  # the CLI's records of an embedded AWS that has ended
    try:
        server = launch.start(
            log_file=log_file,
            speed=speed,
            regions=tuple(plan.regions),
            nlb_tail=nlb_tail,
            remove_at_end=[
                directory / name for name in (endpoints_file.FILE, endpoints_file.CERTIFICATES, DEPLOYER_FILE)
            ],
            keep_open=[lock.descriptor],
        )
    except StartError as error:
        raise Failed(str(error)) from error
    try:
        _run(server, plan, directory, display)
    except KeyboardInterrupt:
        display.line("stopping")
    except DeployError as error:
        ended = server.process.poll()
        raise Failed(str(error) if ended is None else f"the server ended ({ended}); see {log_file}") from error
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # it ends already
        server.stop()


def _end_with(owner: int) -> None:
    """End this process when the other end of the pipe is closed, whatever ended the process that held it."""
    while os.read(owner, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_END_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)  # the server's own pipe and reaper end everything else


def _run(server: RunningServer, plan: Plan, directory: Path, display: Display) -> None:
    display.line(f"embedded AWS at {server.endpoint}, log in {directory / 'server.log'}")
    with display.progress(f"deploying {plan.environment}"):
        deployment = deploy_in_child(
            plan.environment,
            server.endpoint,
            plan.programs,
            progress=display.now,
            config_overrides=plan.config,
            secret_keys=plan.secret_keys,
        )
    for stack, seconds in deployment.seconds.items():
        display.line(f"{stack}: {deployment.resources[stack]} resources in {seconds:.1f} s")
    with display.progress("waiting for load balancers and databases"):
        content = _when_ready(server, plan, directory, deployment, display)
    deployer = Deployer(directory, lambda stacks: _deploy_again(plan, deployment, server.endpoint, stacks))
    endpoints_file.write(directory, content)
    display.table(*cli_display.addresses(content))
    display.line(f"Ctrl-C ends it; `{COMMAND} outage <region>` starts an outage of a region")
    try:
        while server.process.poll() is None:
            deployer.serve(_POLL_SECONDS)
    finally:
        deployer.close()
    if code := server.process.returncode:
        raise Failed(f"the server ended ({code}); see {directory / 'server.log'}")


def _deploy_again(plan: Plan, deployment: Deployment, endpoint: str, stacks: Sequence[str]) -> dict[str, Any]:
    """Run programs once more. Returns what that changed, by stack, with the URNs; or `error`."""
    programs = {folder.name: folder for folder in plan.programs}
    if unknown := set(stacks) - set(programs):
        return {"error": f"there is no stack {', '.join(sorted(unknown))}; use {', '.join(programs)}"}
    try:
        again = deploy_in_child(
            plan.environment,
            endpoint,
            [folder for name, folder in programs.items() if name in stacks or not stacks],
            state=deployment.state,
            config_overrides=plan.config,
            secret_keys=plan.secret_keys,
        )
    except DeployError as error:
        return {"error": str(error)}
    return {
        "stacks": {
            stack: {
                "registered": again.resources[stack],
                "created": changes.created,
                "updated": changes.updated,
                # The engine refuses what AWS could only replace; see the known differences.
                "replaced": [],
                "deleted": changes.deleted,
            }
            for stack, changes in again.changes_by_stack.items()
        }
    }


def _when_ready(
    server: RunningServer, plan: Plan, directory: Path, deployment: Deployment, display: Display
) -> dict[str, Any]:
    """Wait until load balancers and databases are up; returns the content of `endpoints.json`."""
    running = Running(server.control, directory, {})
    deadline = time.monotonic() + _READY_SECONDS
    missing: list[str] = ["everything"]
    while time.monotonic() < deadline:
        status = running.get("status")
        missing = missing_of(status, deployment.outputs)
        if not missing:
            return _content(server, plan, directory, deployment, status, running.get("addresses"))
        display.now(f"waiting for {', '.join(missing)}")
        try:
            server.process.wait(timeout=_POLL_SECONDS)
            break
        except subprocess.TimeoutExpired:
            continue
    raise Failed(f"not ready after {_READY_SECONDS:g} s: {', '.join(missing)}; see {directory / 'server.log'}")


def _content(
    server: RunningServer,
    plan: Plan,
    directory: Path,
    deployment: Deployment,
    status: Mapping[str, Any],
    addresses: Mapping[str, str],
) -> dict[str, Any]:
    databases = {row["region"]: row["url"] for row in status["databases"]}
    return {
        "environment": plan.environment,
        "speed": status["speed"],
        "pid": os.getpid(),
        "account": ACCOUNT,
        "aws": server.endpoint,
        "control": server.control,
        "dns": status["dns"]["address"],
        "ca_file": str(directory / endpoints_file.CERTIFICATES),
        "addresses": addresses,
        "regions": {region: {"name": name, "postgres": databases.get(region)} for region, name in plan.regions.items()},
        "deploy_seconds": {stack: round(seconds, 3) for stack, seconds in deployment.seconds.items()},
        "outputs": deployment.outputs,
        "metadata": plan.metadata,
    }
