"""The commands around drills on the three real stacks on the embedded AWS: one deployment, looked at and broken."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from drill.__main__ import app
from drill.actions import faults
from drill.model.context import plain
from drill.preflight import account, control_records, database, traffic
from drill.preflight.finding import Severity
from drill.report.upload import upload
from drill.runlog import folders
from drill.runlog.api_calls import record_calls
from drill.runlog.entries import ActionBegun, ApiCall, RunStarted
from drill.runlog.log import RunLog, read
from ops.cli import app as dr
from shared import deployment_search
from shared.deployment import Deployment
from shared.places import Place
from tests.drill.shared_environment import SharedEnvironment
from tests.local.embedded import eventually

pytestmark = pytest.mark.nightly
SPEED = 5.0
NOT_EMULATED = {
    "database replication lag",
    "journal replication lag",
    "bucket replication lag",
    "quotas equal in both regions",
    "backup age",
}


def drill(environment: SharedEnvironment, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--env", "dev", "--local", "--endpoints", str(environment.file)])


def test_both_regions_can_take_over_and_checks_that_are_not_emulated_are_reported(
    environment: SharedEnvironment,
) -> None:
    done = drill(environment, "check", "--json")
    reported = json.loads(done.stdout)
    found = {each["name"]: each for each in reported["findings"]}
    unseen = {name for name, each in found.items() if "could not be checked" in each["evidence"]}
    critical = {name for name, each in found.items() if each["severity"] == "critical"}

    # While the machine is busy an alarm may be off for a while, which is for the alarms' own tests.
    assert critical <= {"alarms"}, [found[name]["evidence"] for name in critical]
    assert (done.exit_code, reported["ready"]) == ((1, False) if critical else (0, True))
    assert unseen == NOT_EMULATED
    assert {found[name]["severity"] for name in unseen} == {"warning"}
    assert "000000000000" not in done.stdout


def test_an_audit_names_a_payment_whose_row_was_deleted(
    environment: SharedEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment_search, "local", partial(deployment_search.local, file=environment.file))
    deployment = environment.deployment
    outputs, payment_id = deployment.global_outputs, "audited-0001"
    entry = {
        "kind": "payment",
        "amount": "12.50",
        "currency": "EUR",
        "debtor": "D",
        "creditor": "C",
        "content_hash": "0" * 64,
        "accepted_at": "2020-01-01T00:00:00.000000Z",
        "accepted_in": "us-east-1",
    }
    key = {"pk": {"S": f"payment#{payment_id}"}}
    journal = {"TableName": outputs.journal_table}
    item = {**key, **{name: {"S": value} for name, value in entry.items()}}

    def rows(statement: str) -> list[Any]:
        answer = deployment.client("rds-data", Place.PRIMARY).execute_statement(
            resourceArn=outputs.primary_cluster_arn,
            secretArn=outputs.database_secret_arn,
            database="payments",
            sql=f"{statement} FROM ledger WHERE payment_id = '{payment_id}'",
        )
        return list(answer.get("records", []))

    def audit() -> Result:
        return CliRunner().invoke(dr, ["audit", "--env", "dev", "--local"], env={"COLUMNS": "120"})

    clean = audit()
    deployment.client("dynamodb", Place.PRIMARY).put_item(**journal, Item=item)
    assert eventually(lambda: rows("SELECT payment_id"), within=120), "the ledger posts it"
    differing = audit()
    rows("DELETE")
    missing = audit()
    for place in Place:
        deployment.client("dynamodb", place).delete_item(**journal, Key=key)
    again = audit()

    assert [found.exit_code for found in (clean, differing, missing, again)] == [0, 1, 1, 0], missing.output
    assert f"{payment_id}  differs" in differing.output, "its hash is not that of its content"
    assert f"{payment_id}  not-in-ledger" in missing.output


def killed(root: Path, deployment: Deployment, undo: Any) -> Path:
    """The folder of a drill that changed something and was killed."""
    folder = folders.new_folder("dev", "region-loss", root=root)
    regions = {place.value: region for place, region in deployment.regions.items()}
    with RunLog.open(folder) as journal:
        journal.write(
            RunStarted(scenario="region-loss", environment="dev", local=True, regions=regions, plan=("lose",))
        )
        journal.write(ActionBegun(action="a1", name="take the secondary region down", rollback=plain(undo)))
    return folder


def test_a_runs_folder_reaches_the_bucket_and_its_calls_the_journal(
    environment: SharedEnvironment, tmp_path: Path
) -> None:
    deployment = environment.deployment  # one of its own, whose clients are recorded
    folder = killed(tmp_path, deployment, faults.recover_region(Place.SECONDARY))
    with RunLog.open(folder) as journal:
        record_calls(deployment, journal)
        [key] = upload(deployment, folder)
        calls = [each.entry for each in journal.entries() if isinstance(each.entry, ApiCall)]

    assert key == f"drills/dev/{folder.name}/run-log.jsonl"
    assert [(call.service, call.operation, call.region, call.outcome) for call in calls] == [
        ("s3", "PutObject", deployment.region(Place.PRIMARY), "ok")
    ]
    copy = deployment.client("s3", Place.PRIMARY).get_object(Bucket=deployment.primary.storage.bucket_name, Key=key)
    assert copy["ContentType"] == "application/jsonl"
    assert copy["Body"].read().startswith(b'{"at": ')


def test_cleanup_restores_the_baseline_after_a_killed_drill(environment: SharedEnvironment, tmp_path: Path) -> None:
    """A drill that took the writer's region down and was killed; the sentinel has done its work since."""
    deployment = environment.deployment
    folder = killed(tmp_path, deployment, faults.recover_region(Place.PRIMARY))
    words = [sys.executable, "-m", "localaws", "outage", "us-east-1", "--directory", str(environment.file.parent)]
    subprocess.run(words, check=True, capture_output=True, timeout=300)
    assert eventually(lambda: runs_of(deployment, "SUCCEEDED"), within=600), "the other region takes over"
    assert account.identity(deployment).severity is Severity.CRITICAL

    done = drill(environment, "cleanup", "--yes", "--root", str(tmp_path))

    assert (done.exit_code, "done: bring the primary region back" in done.stdout) == (0, True), done.output
    assert "done: failed back to the primary region by drill-cleanup-" in done.stdout
    for check in (
        account.identity,
        control_records.none_fenced,
        control_records.writer_recorded,
        database.writer_in_primary,
    ):
        assert check(deployment).severity is Severity.OK, check(deployment)
    assert folders.with_pending_rollbacks("dev", root=tmp_path) == []
    assert read(folder)[-1].entry.kind == "cleaned up"


def runs_of(deployment: Deployment, status: str) -> list[Any]:
    """Failovers in the secondary region."""
    found: list[Any] = deployment.client("stepfunctions", Place.SECONDARY).list_executions(
        stateMachineArn=deployment.secondary.compute.failover_arn, statusFilter=status
    )["executions"]
    return found


def test_a_fenced_region_makes_the_environment_not_ready(environment: SharedEnvironment) -> None:
    environment.expect_a_difference()  # a sentinel takes such a fence for the loss of that region
    deployment = environment.deployment
    table, region = deployment.global_outputs.journal_table, deployment.region(Place.SECONDARY)
    client = deployment.client("dynamodb", Place.SECONDARY)
    key = {"pk": {"S": control_records.region_key(region)}}
    client.put_item(TableName=table, Item=key | {"state": {"S": "fenced"}, "epoch": {"N": "9"}})
    closed = eventually(lambda: traffic.health(deployment).severity is Severity.CRITICAL, within=120)
    done = drill(environment, "check")

    assert closed, "a fenced region answers 503"
    assert done.exit_code == 1
    assert f"{region} is fenced since epoch 9" in " ".join(done.stdout.split())
