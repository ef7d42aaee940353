"""Refusing plain HTTP in the resource policies of what we own. Pure but for the outputs that flow through."""

from collections.abc import Sequence
from typing import Any

import pulumi


def tls_only(action: str, resources: Sequence[pulumi.Input[str]]) -> dict[str, Any]:
    """A statement that refuses `action` to whoever comes without TLS, whatever else allows it [IAM-1]. Here a wildcard
    action is right: it refuses more."""
    return {
        "Sid": "DenyInsecureTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": list(resources),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
