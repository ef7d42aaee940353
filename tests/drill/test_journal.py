"""The journal: what it keeps, what it must never hold, and how a change shows."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from drill.runlog.api_calls import recorder
from drill.runlog.entries import ActionBegun, ActionDone, ApiCall, Entry, Probe, RolledBack, RunEnded
from drill.runlog.log import NAME, RunLog, RunLogError, pending_rollbacks, read

KEY = "K3y" * 14
HEAL = {"change": "Recover", "effect": "region-outage", "place": "primary"}


def probe(evidence: str = "as it should be") -> Probe:
    return Probe(step="steady state", met=True, evidence=evidence)


def written(folder: Path, *entries: Entry) -> Path:
    with RunLog.open(folder, secrets=[KEY]) as journal:
        for entry in entries:
            journal.write(entry)
    return folder / NAME


def test_what_was_written_is_read_in_order(tmp_path: Path) -> None:
    entries = (probe("one"), ActionBegun(action="a1", name="lose", rollback=HEAL), RunEnded(status=0))
    written(tmp_path, *entries)

    found = read(tmp_path)

    assert tuple(each.entry for each in found) == entries
    assert [each.number for each in found] == [1, 2, 3]
    assert found[0].at <= found[-1].at


def change_a_word(lines: list[str]) -> list[str]:
    return [lines[0], lines[1].replace("two", "too"), *lines[2:]]


def change_the_last(lines: list[str]) -> list[str]:
    return [*lines[:3], lines[3].replace("four", "five")]


def take_one_out(lines: list[str]) -> list[str]:
    return [lines[0], *lines[2:]]


def swap_two(lines: list[str]) -> list[str]:
    return [lines[0], lines[2], lines[1], lines[3]]


def forge_one(lines: list[str]) -> list[str]:
    """With a hash of its own that is right: the next line gives it away."""
    content = json.loads(lines[1])
    del content["hash"]
    content["entry"]["evidence"] = "forged"
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    content["hash"] = hashlib.sha256(text.encode()).hexdigest()
    return [lines[0], json.dumps(content), *lines[2:]]


def write_nonsense(lines: list[str]) -> list[str]:
    return [lines[0], "nonsense", *lines[2:]]


@pytest.mark.parametrize(
    ("tamper", "line"),
    [
        (change_a_word, 2), (change_the_last, 4), (take_one_out, 2), (swap_two, 2), (forge_one, 3), (write_nonsense, 2),
    ],
)  # fmt: skip
def test_a_journal_that_was_tampered_with_names_its_first_broken_line(
    tmp_path: Path, tamper: Callable[[list[str]], list[str]], line: int
) -> None:
    path = written(tmp_path, *(probe(word) for word in ("one", "two", "three", "four")))
    path.write_text("\n".join(tamper(path.read_text().splitlines())) + "\n")

    with pytest.raises(RunLogError, match=f"^line {line} of "):
        read(tmp_path)
    with pytest.raises(RunLogError, match=f"^line {line} of "):
        RunLog.open(tmp_path)


def test_a_line_that_was_cut_off_while_it_was_written_is_left_out_and_the_journal_goes_on(tmp_path: Path) -> None:
    path = written(tmp_path, probe("one"), probe("two"))
    path.write_bytes(path.read_bytes()[:-20])

    assert [each.entry for each in read(tmp_path)] == [probe("one")]
    written(tmp_path, probe("three"))
    assert [each.entry for each in read(tmp_path)] == [probe("one"), probe("three")]


def test_secrets_and_account_numbers_never_reach_the_file(tmp_path: Path) -> None:
    secrets = (KEY, "AKIAABCDEFGHIJKLMNOP", "s3cr3t-word", "210987654321")
    arn = "arn:aws:sns:us-east-1:210987654321:topic-primary-dev"
    printed = f"{arn}: key {KEY}, id AKIAABCDEFGHIJKLMNOP, postgres://admin:s3cr3t-word@host/db, 1763683200123"
    text = written(tmp_path, probe(printed), ActionBegun(action=KEY, name=arn)).read_text()

    assert not [secret for secret in secrets if secret in text]
    assert "********4321:topic-primary-dev" in text, "enough is left to distinguish accounts"
    assert "1763683200123" in text, "a moment in milliseconds is no account"
    assert oct((tmp_path / NAME).stat().st_mode & 0o777) == "0o600"


def test_two_processes_do_not_write_one_journal(tmp_path: Path) -> None:
    with RunLog.open(tmp_path), pytest.raises(RunLogError, match="still writing"):
        RunLog.open(tmp_path)
    RunLog.open(tmp_path).close()


def test_a_closed_journal_takes_no_entry(tmp_path: Path) -> None:
    journal = RunLog.open(tmp_path)
    journal.close()

    with pytest.raises(RunLogError, match="is closed"):
        journal.write(probe())


def test_changes_that_were_not_undone_are_pending_last_change_first(tmp_path: Path) -> None:
    join = {"change": "Recover", "effect": "partition", "place": None}
    written(
        tmp_path,
        ActionBegun(action="a1", name="take a region down", rollback=HEAL),
        ActionDone(action="a1", outcome="done"),
        ActionBegun(action="a2", name="cut", rollback=join),
        ActionDone(action="a2", outcome="failed", detail="no answer: it may have happened"),
        ActionBegun(action="a3", name="look", rollback=None),
        ActionBegun(action="a4", name="lag", rollback={"change": "Recover", "effect": "replica-lag"}),
        RolledBack(action="a4", outcome="done"),
        RolledBack(action="a1", outcome="failed", detail="refused"),
    )

    assert [(each.action, each.rollback) for each in pending_rollbacks(read(tmp_path))] == [("a2", join), ("a1", HEAL)]


def test_a_run_that_is_killed_leaves_every_entry_it_wrote(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from drill.runlog.log import RunLog\n"
        "from drill.runlog.entries import ActionBegun\n"
        "journal = RunLog.open(pathlib.Path(sys.argv[1]))\n"
        f"journal.write(ActionBegun(action='a1', name='lose', rollback={HEAL}))\n"
        "print('written', flush=True)\n"
        "sys.stdin.read()\n"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        os.kill(process.pid, signal.SIGKILL)

    assert [each.rollback for each in pending_rollbacks(read(tmp_path))] == [HEAL]


def test_every_call_to_aws_is_recorded_with_its_outcome(tmp_path: Path) -> None:
    """Against a port where nobody listens, so that the call fails before AWS is asked."""
    with RunLog.open(tmp_path) as journal:
        session = boto3.Session(aws_access_key_id="any", aws_secret_access_key="any", region_name="eu-west-1")
        recorder(journal)(session)
        client = session.client(
            "sqs", endpoint_url="http://127.0.0.1:1", config=Config(retries={"total_max_attempts": 1}, proxies={})
        )
        with pytest.raises(EndpointConnectionError):
            client.list_queues()
        [call] = [each.entry for each in journal.entries()]

    assert isinstance(call, ApiCall)
    assert (call.service, call.operation, call.region) == ("sqs", "ListQueues", "eu-west-1")
    assert call.outcome == "EndpointConnectionError"
