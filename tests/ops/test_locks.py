"""A stack that an interrupted run left locked, by the stand-in for `pulumi`."""

import os
import socket
import subprocess
import sys

import pytest

from tests.ops.conftest import Ops
from tests.ops.stand_in import Answer, Call, PulumiStandIn

pytestmark = pytest.mark.usefixtures("signed_in")

HERE = socket.gethostname()


@pytest.fixture(scope="module")
def ended() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def locked(pulumi: PulumiStandIn, process: int, *, host: str = HERE, url: str = "file:///state") -> None:
    """The primary stack is locked until `pulumi cancel`."""

    def answer(call: Call) -> Answer | None:
        if call.stack != "primary" or call.verb not in ("up", "refresh", "destroy") or pulumi.of("cancel"):
            return None
        return Answer(
            err="error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or "
            f"delete the lock file with `pulumi cancel`.\n  {url}/locks/primary/dev/1.json: created by ann@{host} "
            f"(pid {process}) at 2026-11-30T10:00:00Z\n",
            status=255,
        )

    pulumi.answer = answer


@pytest.mark.parametrize("verb", ["deploy", "refresh"])
def test_the_lock_of_a_process_that_has_ended_is_removed_and_the_run_repeated(
    pulumi: PulumiStandIn, ops: Ops, ended: int, verb: str
) -> None:
    locked(pulumi, ended)

    answer = ops(verb, "--env", "dev", "--yes")

    assert answer.exit_code == 0, answer.output
    assert f"primary is locked by process {ended} of ann on {HERE} since 2026-11-30T10:00:00Z, which has ended" in (
        answer.output
    )
    (cancel,) = pulumi.of("cancel")
    assert (cancel.stack, cancel.words) == ("primary", ["cancel", "--yes", "--stack", "dev"])
    assert pulumi.order("up" if verb == "deploy" else "refresh").count("primary") == 2


def test_the_lock_of_a_process_that_runs_stays(pulumi: PulumiStandIn, ops: Ops) -> None:
    locked(pulumi, os.getpid())

    answer = ops("deploy", "--env", "dev", "--yes")

    assert answer.exit_code == 3
    assert f"primary is locked by process {os.getpid()} of ann on {HERE} since" in answer.output
    assert "if it has ended: pulumi cancel --yes --stack dev --cwd stacks/primary" in answer.output
    assert not pulumi.of("cancel")
    assert "global" not in pulumi.order("up")


def test_nothing_is_known_of_processes_of_another_machine(pulumi: PulumiStandIn, ops: Ops, ended: int) -> None:
    locked(pulumi, ended, host="other")

    answer = ops("deploy", "--env", "dev", "--yes")

    assert answer.exit_code == 3
    assert not pulumi.of("cancel")


def test_a_person_decides_about_the_lock_of_a_shared_backend(pulumi: PulumiStandIn, ops: Ops, ended: int) -> None:
    locked(pulumi, ended, url="s3://state")

    refused = ops("deploy", "primary", "--env", "dev", "--yes")
    agreed = ops("deploy", "primary", "--env", "dev", typed="dev\ndev\n")

    assert refused.exit_code == 2
    assert agreed.exit_code == 0, agreed.output
    assert len(pulumi.of("cancel")) == 1


def test_a_backend_that_names_nobody_gets_the_remedy(pulumi: PulumiStandIn, ops: Ops) -> None:
    conflict = Answer(err="error: [409] Conflict: Another update is currently in progress.\n", status=255)
    pulumi.answer = lambda call: conflict if (call.verb, call.stack) == ("up", "global") else None

    answer = ops("deploy", "global", "--env", "dev", "--yes")
    pulumi.outputs = {"primary": {"region": "us-east-1"}, "secondary": {"region": "us-east-2"}}
    answer = ops("deploy", "global", "--env", "dev", "--yes")

    assert answer.exit_code == 3
    assert "global is locked by another run" in answer.output
    assert "pulumi cancel --yes --stack dev --cwd stacks/global" in answer.output
