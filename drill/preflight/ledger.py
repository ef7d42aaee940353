"""The ledger against the journal: does a sample of payments agree?"""

import json
from typing import Any

from drill.preflight import database
from drill.preflight.finding import Found, check, critical, ok
from shared.deployment import Deployment

SAMPLE = 1000
"""Payments in each direction, at most what the function compares in one invocation; all of them, if there are fewer."""
_SHOWN = 3


@check("journal and ledger agree")
def agrees(deployment: Deployment) -> Found:
    """Compared by the ledger function of the writer's region, which returns ids only (`functions/ledger/audit.py`)."""
    at = database.writer(deployment)
    if at is None:
        return critical("no member is the writer, so there is no ledger to read", "see the global cluster's events")
    answer = deployment.client("lambda", at).invoke(
        FunctionName=deployment.cell(at).compute.functions["ledger"].name,
        Payload=json.dumps({"operation": "audit", "sample": SAMPLE, "ids": _SHOWN}),
    )
    result: dict[str, Any] = json.load(answer["Payload"])
    if "FunctionError" in answer:
        return critical(
            f"{deployment.region(at)}: the comparison failed: {result.get('errorType')}",
            "see docs/troubleshooting.md, `Journal and ledger differ`",
        )
    faults = sum(result[name] for name in ("not_in_ledger", "not_in_journal", "differing"))
    compared = f"{result['entries']} entries and {result['rows']} rows compared"
    if faults:
        named = ", ".join(f"{each['payment_id']} {each['kind']}" for each in result["findings"])
        return critical(f"{compared}, findings: {faults}: {named}", f"dr audit --env {deployment.environment}")
    return ok(f"{compared}, {result['pending']} pending")
