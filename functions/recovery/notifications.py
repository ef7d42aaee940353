"""What people are told, through the region's topic."""

import json
from typing import Any

from .context import Surroundings, silence_named
from .models import AskInput, NotifyInput, NotifyOutput

# API SNS.Publish: a subject is ASCII, without line breaks, and has fewer than 100 characters.
_SUBJECT_LIMIT = 99


def notify(given: NotifyInput, around: Surroundings) -> NotifyOutput:
    """Send the result of a run. Raises ServiceSilent."""
    region = given.document.get("guard", {}).get("region") or given.document.get("region", "")
    message = {
        "machine": given.machine,
        "outcome": given.outcome,
        "told_by": around.region,
        "execution": given.execution,
        **given.document,
    }
    return _publish(f"{given.machine} of {region} {given.outcome}", message, around)


def ask(given: AskInput, around: Surroundings) -> NotifyOutput:
    """Ask people whether the database may follow; traffic and payments have moved already. Raises ServiceSilent.

    The token is what a person answers with; who may, IAM decides (states:SendTaskSuccess, states:SendTaskFailure).
    """
    answer = f"--region {around.region} --task-token '{given.token}'"
    message = {
        "question": f"promote the database in {around.region}? What {given.region} did not replicate is lost to it; "
        "the journal brings it back",
        "execution": given.execution,
        "yes": f"aws stepfunctions send-task-success {answer} --task-output '{{}}'",
        "no": f"aws stepfunctions send-task-failure {answer} --error Declined --cause 'declined by a person'",
    }
    return _publish(f"Approval needed: promote the database in {around.region}", message, around)


def _publish(subject: str, message: dict[str, Any], around: Surroundings) -> NotifyOutput:
    with silence_named("SNS"):
        sent = around.here("sns").publish(
            TopicArn=around.settings.topic_arn,
            Subject=subject[:_SUBJECT_LIMIT],
            Message=json.dumps(message, indent=2, sort_keys=True, default=str),
        )
    return NotifyOutput(message_id=sent["MessageId"], at=around.moment())
