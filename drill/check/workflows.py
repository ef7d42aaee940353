"""What is under way or left over: failovers and failbacks that run, and letters nobody has read."""

from drill.check.finding import Found, check, critical, ok, warning, worst
from shared.deployment import Deployment
from shared.places import Place


@check("no failover or failback under way")
def none_running(deployment: Deployment) -> Found:
    return worst(_running(deployment, place) for place in Place)


def running(deployment: Deployment, place: Place) -> list[str]:
    """The failovers and failbacks that a region runs now. Raises ClientError."""
    cell = deployment.cell(place)
    client = deployment.client("stepfunctions", place)
    return [
        f"{what} {each['name']}"
        for what, arn in (("failover", cell.failover_arn), ("failback", cell.failback_arn))
        for each in client.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"]
    ]


def _running(deployment: Deployment, place: Place) -> Found:
    region, found = deployment.region(place), running(deployment, place)
    if found:
        return critical(f"{region}: {found[0]} runs", "wait until it has ended")
    return ok(f"{region}: none")


@check("dead letters")
def dead_letters(deployment: Deployment) -> Found:
    return worst(_letters(deployment, place) for place in Place)


def _letters(deployment: Deployment, place: Place) -> Found:
    cell = deployment.cell(place)
    answer = deployment.client("sqs", place).get_queue_attributes(
        QueueUrl=cell.dead_letter_url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    count = int(answer["Attributes"]["ApproximateNumberOfMessages"])
    if count:
        return warning(f"{cell.region}: {count}", "read them: each is a piece of work that was not done")
    return ok(f"{cell.region}: none")
