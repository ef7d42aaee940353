"""The `payments` Lambda function: environment variables and IAM permissions."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.compute.function import Function
from components.workload import access
from components.workload.context import FunctionContext
from shared.client_keys import SETTING, as_json


def payments_function(
    context: FunctionContext, *, client_keys: Mapping[str, pulumi.Input[str]], opts: pulumi.ResourceOptions
) -> Function:
    """Accepts payments and writes each to the journal in both regions before it answers (decision 0001). `client_keys`
    are by client. Its code is the workload's; its name is fixed, since endpoints, sentinel and recovery refer to it."""
    if not client_keys:
        # It requires a key only behind the load balancer, and only if any is configured (decision 0004).
        pulumi.warn(
            "no client has a key, so anyone who finds the accelerator can pay; give each client one, the same in both "
            f"regions: pulumi config set --secret {SETTING} "
            """'{"<client>": "<40 to 128 random letters and digits>"}'"""
        )
    return context.function(
        context.settings.workload,
        label="payments",
        description="Takes payments and writes each to the journal in both regions",
        environment={
            **context.control,
            # The same region for both places: of two claims to one payment id, it decides which came first.
            "JOURNAL_ARBITER_REGION": context.settings.primary_region,
            "DURABILITY": context.settings.durability,
            "CLIENT_KEY_HASHES": client_key_hashes(client_keys),
        },
        statements=access.journal(context),
        opts=opts,
    )


def client_key_hashes(client_keys: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
    """Client to SHA-256 of its key, as JSON that is the same every time. A hash reveals no key, so it may be in the
    function's environment (docs/decisions/0004-callers-of-the-accelerator-endpoint.md). Since it derives from secrets,
    Pulumi encrypts it in the state."""
    known: pulumi.Output[Any] = pulumi.Output.from_input(dict(client_keys))
    return known.apply(as_json)
