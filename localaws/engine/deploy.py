"""Deploys and destroys the stack programs on the embedded AWS, and registers them without any AWS at all."""

import contextlib
import multiprocessing
import signal
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localaws.core.errors import DeployError
from localaws.engine import program, project
from localaws.engine.engine import Progress, StackEngine
from localaws.engine.program import Monitor
from localaws.engine.project import Project
from localaws.engine.state import Changes, State
from localaws.engine.synthetic import Synthetic
from localaws.provider import values
from localaws.provider.calls import ACCOUNT, Aws
from localaws.provider.context import Caller
from localaws.provider.preparation import StackRun

WORKERS = 4  # registrations handled at once
WriteLine = Callable[[str], None]
Overrides = Mapping[str, Mapping[str, Any]]


@dataclass(kw_only=True)
class Deployment:
    """The result of `deploy`, by stack name. `outputs` has "[secret]" for secret values, which are in `secrets`."""

    environment: str
    state: State
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    seconds: dict[str, float] = field(default_factory=dict)
    resources: dict[str, int] = field(default_factory=dict)
    resource_seconds: dict[str, float] = field(default_factory=dict, repr=False)  # by URN
    changes: Changes = field(default_factory=Changes)
    changes_by_stack: dict[str, Changes] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def registrations(self) -> str:
        """All registrations as canonical JSON without the answers: equal texts mean equal programs and inputs."""
        asked = [{key: value for key, value in row.items() if key != "outputs"} for row in self.rows]
        return values.canonical(asked)


def deploy(
    environment: str,
    endpoint: str,
    programs: Sequence[Path],
    *,
    progress: WriteLine | None = None,
    state: State | None = None,
    config_overrides: Overrides | None = None,
    secret_keys: Collection[str] = (),
    account: str = ACCOUNT,
) -> Deployment:
    """Run `programs` (Pulumi project folders) in this order against the AWS at `endpoint`.

    With the `state` of an earlier call only differences are carried out. `config_overrides` are settings by stack, the
    name of the program's folder; `secret_keys` names the settings that no generated name depends on. Raises
    DeployError; what was created until then is in the state, so that `destroy` can remove it.
    """
    state = state or State()
    state.claim(environment)
    deployment = Deployment(environment=environment, state=state)
    caller = Aws(endpoint, account)
    try:
        for program_folder in programs:
            settings = _load(program_folder, environment, config_overrides)
            _deploy_stack(settings, deployment, caller, progress, secret_keys)
    finally:
        caller.close()
    return deployment


def destroy(
    environment: str,
    endpoint: str,
    programs: Sequence[Path],
    *,
    state: State,
    progress: WriteLine | None = None,
    account: str = ACCOUNT,
) -> dict[str, int]:
    """Delete all resources of `programs`, the last program's first; returns how many by stack. Raises DeployError."""
    state.claim(environment)
    caller = Aws(endpoint, account)
    deleted = {}
    try:
        for program_folder in reversed(programs):
            settings = project.locate(program_folder, environment)
            if (stack := settings.stack) not in state.stacks:
                continue
            resources = state.stacks[stack].resources
            report = Progress(stack, progress, len(resources))
            engine = StackEngine(settings, state, _stack_run(settings, caller, account), report)
            try:
                engine.remove_all(dict(resources))
                del state.stacks[stack]
            finally:
                state.save(stack)
            deleted[stack] = len(engine.changes.deleted)
            report.done("deleted")
    finally:
        caller.close()
    return deleted


def graph(
    environment: str,
    programs: Sequence[Path],
    *,
    config_overrides: Overrides | None = None,
    secret_keys: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Every resource the programs register, as JSON rows, without any AWS: ids and answers are made up, but constant.

    Raises DeployError, also for an argument that AWS's own models would not accept.
    """
    deployment = Deployment(environment=environment, state=State())
    for program_folder in programs:
        settings = _load(program_folder, environment, config_overrides)
        _deploy_stack(settings, deployment, Synthetic(), None, secret_keys, preview=True)
    return deployment.rows


def _load(folder: Path, environment: str, overrides: Overrides | None) -> Project:
    stack = folder.name
    try:
        return project.load(folder, environment, (overrides or {}).get(stack))
    except ValueError as error:
        raise DeployError(stack=stack, urn="", operation="settings", code="Settings", message=str(error)) from error


def _stack_run(settings: Project, caller: Caller, account: str, secret_keys: Collection[str] = ()) -> StackRun:
    known = {key: value for key, value in settings.config.items() if key not in secret_keys}
    seed = values.canonical([settings.reference, known])
    return StackRun(caller=caller, account=account, folder=settings.folder, seed=seed)


def _deploy_stack(
    settings: Project,
    deployment: Deployment,
    caller: Caller,
    write: WriteLine | None,
    secret_keys: Collection[str],
    *,
    preview: bool = False,
) -> None:
    stack, state = settings.stack, deployment.state
    former = state.stacks.get(stack)
    report = Progress(stack, write, len(former.resources) if former else None)
    engine = StackEngine(settings, state, _stack_run(settings, caller, caller.account, secret_keys), report)
    workers = 1 if preview else WORKERS
    try:
        monitor = program.run(settings, engine, preview=preview, workers=workers, warn=report.note)
        engine.finish(monitor.stack_outputs)
    except DeployError:
        raise
    except Exception as error:
        raise DeployError(
            stack=stack, urn="", operation="program", code=type(error).__name__, message=str(error)
        ) from error
    finally:
        state.save(stack)
        deployment.changes.extend(engine.changes)
        deployment.changes_by_stack[stack] = engine.changes
    _collect(settings, deployment, monitor, engine)
    deployment.seconds[stack] = report.done("deployed")


def _collect(settings: Project, deployment: Deployment, monitor: Monitor, engine: StackEngine) -> None:
    stack, outputs = settings.stack, monitor.stack_outputs
    deployment.outputs[stack] = values.hide(outputs, settings.folder)
    deployment.secrets[stack] = {key: values.unwrap(value) for key, value in outputs.items() if values.is_secret(value)}
    rows = [
        found.row(engine.regions.get(urn, ""), settings.folder) for urn, found in sorted(monitor.registrations.items())
    ]
    deployment.resources[stack] = sum(found.custom for found in monitor.registrations.values())
    deployment.resource_seconds |= engine.seconds
    deployment.rows += rows


def deploy_in_child(
    environment: str,
    endpoint: str,
    programs: Sequence[Path],
    *,
    progress: WriteLine | None = None,
    state: State | None = None,
    config_overrides: Overrides | None = None,
    secret_keys: Collection[str] = (),
) -> Deployment:
    """As `deploy`; the child ends with the call, also with one that is interrupted. Raises DeployError."""
    state = state or State()
    context = multiprocessing.get_context("fork")  # nothing to import again, and nothing secret to pass on
    receive, send = context.Pipe(duplex=False)

    def work() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent ends this process
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        receive.close()
        write: WriteLine | None = None if progress is None else (lambda line: send.send(("line", line)))
        with contextlib.suppress(BrokenPipeError):  # the parent has ended
            try:
                done = deploy(
                    environment,
                    endpoint,
                    programs,
                    progress=write,
                    state=state,
                    config_overrides=config_overrides,
                    secret_keys=secret_keys,
                )
                send.send(("deployed", done))
            except DeployError as error:
                send.send(("refused", vars(error)))
            send.send(state)

    child = context.Process(target=work, name="deploy", daemon=True)
    child.start()
    send.close()
    try:
        while True:
            kind, content = receive.recv()
            if kind == "line":
                if progress is not None:
                    progress(content)
                continue
            state.take(receive.recv())
            if kind == "refused":
                raise DeployError(**content)
            deployment: Deployment = content
            deployment.state = state
            return deployment
    except EOFError:
        child.join()
        raise DeployError(
            stack="",
            urn="",
            operation="program",
            code="ChildEnded",
            message=f"the deploying process ended with {child.exitcode}",
        ) from None
    finally:
        child.terminate()
        child.join()
        receive.close()
