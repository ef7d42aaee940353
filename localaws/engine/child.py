"""`deploy` in a child process: the provider's classes, some 250 MB once imported, end with it.

Who waits for a deployment, such as `python -m localaws up`, stays for hours and needs only what came of it.
"""

import contextlib
import multiprocessing
import signal
from collections.abc import Collection, Sequence
from pathlib import Path

from localaws.core.errors import DeployError
from localaws.engine.deploy import Deployment, Overrides, Tell, deploy
from localaws.engine.state import State


def deploy_in_child(
    environment: str,
    endpoint: str,
    programs: Sequence[Path],
    *,
    progress: Tell | None = None,
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
        told: Tell | None = None if progress is None else (lambda line: send.send(("line", line)))
        with contextlib.suppress(BrokenPipeError):  # who waited has gone
            try:
                done = deploy(
                    environment,
                    endpoint,
                    programs,
                    progress=told,
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
