"""The parameters that an environment starts with, created in one region; `parameter_sync` copies them to the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from shared.naming import Names

API_KEY = "external/api-key"
"""Of the service that payments are handed on to; drawn at random until one is set."""
_LENGTH = 40
OTHERS_CHANGE = ["insecureValue", "tags", "tagsAll", "value"]
"""Inputs of a parameter that others change, and that the function that copies adds
(functions/parameter_sync/parameter.py)."""


@dataclass(frozen=True, kw_only=True)
class SeededParametersArgs:
    names: Names
    key_arn: pulumi.Input[str]
    writer_endpoint: pulumi.Input[str]
    writer_region: str
    flags: Mapping[str, bool]
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict, repr=False)  # path below the prefix to value


class SeededParameters(pulumi.ComponentResource):
    """SSM parameters whose values are set once: later changes by operators and failovers stay."""

    def __init__(self, name: str, args: SeededParametersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:parameters:SeededParameters", name, None, opts)
        self._prefix, self._names = name, args.names
        plain: dict[str, pulumi.Input[str]] = {
            "database/writer-endpoint": args.writer_endpoint,
            "database/writer-region": args.writer_region,
            **{f"flags/{flag}": "on" if is_on else "off" for flag, is_on in sorted(args.flags.items())},
        }
        for path, value in plain.items():
            self._parameter(path, "String", insecure_value=value)
        for path, secret in sorted(self._secrets(args.secrets).items()):
            self._parameter(path, "SecureString", value=secret, key_id=args.key_arn)
        self.register_outputs({})

    def _secrets(self, given: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
        if API_KEY in given:
            return dict(given)
        drawn = random.RandomPassword(
            f"{self._prefix}-api-key", length=_LENGTH, special=False, opts=pulumi.ResourceOptions(parent=self)
        )
        return {**given, API_KEY: drawn.result}

    def _parameter(
        self,
        path: str,
        kind: str,
        *,
        value: pulumi.Input[str] | None = None,
        insecure_value: pulumi.Input[str] | None = None,
        key_id: pulumi.Input[str] | None = None,
    ) -> None:
        aws.ssm.Parameter(
            f"{self._prefix}-{path.replace('/', '-')}",
            name=f"{self._names.parameters}/{path}",
            type=kind,
            value=value,
            insecure_value=insecure_value,
            key_id=key_id,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=OTHERS_CHANGE),
        )
