"""Notifications to operators, through the region's SNS topic."""

import json
from typing import Any

from .context import RecoveryContext, service_errors
from .models import ApprovalInput, NotifyInput, NotifyOutput

# API SNS.Publish: a subject is ASCII, without line breaks, and has fewer than 100 characters.
_SUBJECT_LIMIT = 99


def notify(request: NotifyInput, ctx: RecoveryContext) -> NotifyOutput:
    """Publish the result of an execution, with its document. Raises ServiceUnavailable."""
    region = request.document.get("preconditions", {}).get("region") or request.document.get("region", "")
    message = {
        "machine": request.machine,
        "outcome": request.outcome,
        "sent_from": ctx.region,
        "execution": request.execution,
        **request.document,
    }
    return _publish(f"{request.machine} of {region} {request.outcome}", message, ctx)


def request_approval(request: ApprovalInput, ctx: RecoveryContext) -> NotifyOutput:
    """Ask operators to approve the promotion; traffic and payments have moved already. Raises ServiceUnavailable.

    The answer needs the task token and permission for states:SendTaskSuccess or states:SendTaskFailure.
    """
    options = f"--region {ctx.region} --task-token '{request.token}'"
    message = {
        "question": f"promote the database in {ctx.region}? If the one in {request.region} does not answer, "
        "transactions that it did not replicate are missing until they are replayed from the journal",
        "execution": request.execution,
        "approve": f"aws stepfunctions send-task-success {options} --task-output '{{}}'",
        "decline": f"aws stepfunctions send-task-failure {options} --error Declined --cause 'declined by an operator'",
    }
    return _publish(f"Approval needed: promote the database in {ctx.region}", message, ctx)


def _publish(subject: str, message: dict[str, Any], ctx: RecoveryContext) -> NotifyOutput:
    with service_errors("SNS"):
        sent = ctx.own_client("sns").publish(
            TopicArn=ctx.settings.topic_arn,
            Subject=subject[:_SUBJECT_LIMIT],
            Message=json.dumps(message, indent=2, sort_keys=True, default=str),
        )
    return NotifyOutput(message_id=sent["MessageId"], at=ctx.now())
