"""The functions of both regions: the same code, and able to run."""

from datetime import UTC, datetime, timedelta
from typing import Any

from drill.preflight.alarms import latest
from drill.preflight.finding import Found, check, check_each, critical, ok, warning, worst
from shared.deployment import Deployment
from shared.functions import FUNCTIONS
from shared.places import Place

_LOOKED_BACK = timedelta(minutes=15)
_YOUNG = timedelta(minutes=10)  # a sentinel that was deployed a moment ago has not run yet


@check("function versions equal")
def code_equal(deployment: Deployment) -> Found:
    """By the hash of the code that runs."""
    return worst(_code(deployment, name) for name in FUNCTIONS)


def _code(deployment: Deployment, name: str) -> Found:
    found = {place: _function(deployment, place, name) for place in Place}
    for place, function in found.items():
        state = function.get("State", "Active")
        if state != "Active" or function.get("LastUpdateStatus", "Successful") != "Successful":
            return critical(f"{name} in {deployment.region(place)} is {state}", f"deploy stack {place} again")
    if len({function["CodeSha256"] for function in found.values()}) > 1:
        digests = " and ".join(str(function["CodeSha256"])[:8] for function in found.values())
        return critical(f"{name} runs different code: {digests}", "deploy both regions from the same commit")
    return ok(f"{name} equal")


@check_each("sentinels on watch")
def sentinels(deployment: Deployment, place: Place) -> Found:
    """Each region's sentinel is run by a schedule; without it the loss of the other region goes unnoticed."""
    cell = deployment.cell(place)
    runs = latest(
        deployment.client("cloudwatch", place),
        "AWS/Lambda",
        "Invocations",
        {"FunctionName": cell.compute.functions["sentinel"].name},
        "Sum",
    )
    if sum(runs):
        return ok(f"{cell.region}: {sum(runs):.0f} runs in 15 minutes")
    if _has_written(deployment, place):
        return ok(f"{cell.region}: has run, by its log")
    modified = datetime.fromisoformat(str(_function(deployment, place, "sentinel")["LastModified"]))
    if datetime.now(UTC) - modified < _YOUNG:
        return warning(f"{cell.region}: has not run yet", "check again in ten minutes")
    return critical(f"{cell.region}: no run in 15 minutes", f"see the sentinel's schedule in {cell.region}")


def _has_written(deployment: Deployment, place: Place) -> bool:
    """Whether its log has entries, where its metric has none: the embedded AWS counts no scheduled invocation."""
    since = datetime.now(UTC) - _LOOKED_BACK
    answer = deployment.client("logs", place).filter_log_events(
        logGroupName=f"/aws/lambda/{deployment.cell(place).compute.functions['sentinel'].name}",
        startTime=int(since.timestamp() * 1000),
        limit=1,
    )
    return bool(answer["events"])


def _function(deployment: Deployment, place: Place, name: str) -> dict[str, Any]:
    client, function = deployment.client("lambda", place), deployment.cell(place).compute.functions[name]
    found: dict[str, Any] = client.get_function_configuration(FunctionName=function.name)
    return found


# Running failovers and failbacks, and dead letters.


def running(deployment: Deployment, place: Place) -> list[str]:
    """The failovers and failbacks that a region runs now. Raises ClientError."""
    cell = deployment.cell(place)
    client = deployment.client("stepfunctions", place)
    return [
        f"{what} {each['name']}"
        for what, arn in (("failover", cell.compute.failover_arn), ("failback", cell.compute.failback_arn))
        for each in client.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
    ]


@check_each("no failover or failback under way")
def none_running(deployment: Deployment, place: Place) -> Found:
    region, found = deployment.region(place), running(deployment, place)
    if found:
        return critical(f"{region}: {found[0]} runs", "wait until it has ended")
    return ok(f"{region}: none")


@check_each("dead letters")
def dead_letters(deployment: Deployment, place: Place) -> Found:
    cell = deployment.cell(place)
    answer = deployment.client("sqs", place).get_queue_attributes(
        QueueUrl=cell.messaging.dead_letter_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    count = int(answer["Attributes"]["ApproximateNumberOfMessages"])
    if count:
        return warning(f"{cell.region}: {count}", "read them: each is a piece of work that was not done")
    return ok(f"{cell.region}: none")
