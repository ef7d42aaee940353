"""Replay of the backlogs by the ledger of the writer's region."""

import json

from .context import RecoveryContext, service_errors
from .errors import ReplayFailed
from .models import Replayed, ReplayInput


def replay(request: ReplayInput, ctx: RecoveryContext) -> Replayed:
    """One invocation of the ledger's replay in the writer's region; to be repeated until it is `done`.

    Also for the other region, whose functions Step Functions cannot invoke. Raises ReplayFailed and ServiceUnavailable.
    """
    settings = ctx.settings
    function = settings.ledger_function if request.writer_region == ctx.region else settings.peer_ledger_function
    event = {"operation": "replay", "seconds": request.seconds, "continuation": request.continuation}
    with service_errors(f"Lambda in {request.writer_region}"):
        invoked = ctx.long_call_client("lambda", request.writer_region).invoke(
            FunctionName=function, Payload=json.dumps(event).encode()
        )
        response = json.load(invoked["Payload"])
    if "FunctionError" in invoked:
        raise ReplayFailed(request.writer_region, str(response.get("errorType")), str(response.get("errorMessage")))
    return Replayed.model_validate(response)
