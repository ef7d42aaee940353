"""The journal replayed in the writer's region, also when that is not this one: Step Functions calls functions of its
own region only.
"""

import json

from .errors import ReplayFailed
from .models import Replayed, ReplayInput
from .surroundings import Surroundings, silence_named


def replay(given: ReplayInput, around: Surroundings) -> Replayed:
    """One answer of the ledger; until it is done, more is to be asked. Raises ReplayFailed and ServiceSilent."""
    settings = around.settings
    function = settings.ledger_function if given.writer_region == around.region else settings.peer_ledger_function
    asked = {"operation": "replay", "since": given.since, "continuation": given.continuation}
    with silence_named(f"Lambda in {given.writer_region}"):
        answer = around.patient_client("lambda", given.writer_region).invoke(
            FunctionName=function, Payload=json.dumps(asked).encode()
        )
        told = json.load(answer["Payload"])
    if "FunctionError" in answer:
        raise ReplayFailed(
            f"the ledger in {given.writer_region} gave up: {told.get('errorType')}: {told.get('errorMessage')}"
        )
    return Replayed.model_validate(told)
