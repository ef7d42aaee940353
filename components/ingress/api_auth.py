"""Authorization of callers of the regional API, beyond its OpenAPI document (`components.ingress.openapi.secured`).

The accelerator's endpoint has no API Gateway in front: docs/decisions/0004-callers-of-the-accelerator-endpoint.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_aws as aws

from components import iam
from shared.client_keys import is_strong

Callers = Literal["iam", "api-key"]


@dataclass(frozen=True, kw_only=True)
class ApiAccessArgs:
    callers: Callers
    name: str
    api_id: pulumi.Input[str]
    stage: pulumi.Input[str]
    execution_arn: pulumi.Input[str]
    operations: Sequence[str]  # as `api_document.guarded` gives them
    rate_limit: int  # requests a second by one key; bursts may be twice that
    daily_quota: int  # requests a day by one key
    client_keys: Mapping[str, pulumi.Input[str]] = field(default_factory=dict, repr=False)  # by client

    def __post_init__(self) -> None:
        if self.callers == "api-key" and not self.client_keys:
            raise ValueError("api:access is api-key, but no client has a key; give api:clientKeys")
        wrong = [client for client, key in self.client_keys.items() if isinstance(key, str) and not is_strong(key)]
        if wrong:
            raise ValueError(
                f"the key of client {', '.join(wrong)} is no 40 to 128 letters and digits; draw a longer one at random"
            )


class ApiAccess(pulumi.ComponentResource):
    """With `iam` a policy that callers are given; with `api-key` a key per client, the same in both regions so that a
    client needs no second one after a failover, and a plan with a rate and a quota. API Gateway keeps to both roughly:
    they protect us from a client's mistakes, not from an attack [APIGW-4]."""

    caller_policy_arn: pulumi.Output[str]  # empty with api-key
    usage_plan_id: pulumi.Output[str]  # empty with iam

    def __init__(self, name: str, args: ApiAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:api_access:ApiAccess", name, None, opts)
        self._prefix, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.caller_policy_arn = self.usage_plan_id = pulumi.Output.from_input("")
        if args.callers == "iam":
            self.caller_policy_arn = self._caller_policy()
        else:
            self.usage_plan_id = self._usage_plan()
        self.register_outputs({"caller_policy_arn": self.caller_policy_arn, "usage_plan_id": self.usage_plan_id})

    def _caller_policy(self) -> pulumi.Output[str]:
        resources = [
            pulumi.Output.concat(self._args.execution_arn, "/", self._args.stage, "/", operation)
            for operation in self._args.operations
        ]
        return aws.iam.Policy(
            f"{self._prefix}-callers",
            name=self._args.name,
            description="May call the operations of this API",
            policy=iam.document([iam.allow(["execute-api:Invoke"], resources)]),
            opts=self._child,
        ).arn

    def _usage_plan(self) -> pulumi.Output[str]:
        plan = aws.apigateway.UsagePlan(
            f"{self._prefix}-plan",
            name=self._args.name,
            api_stages=[{"api_id": self._args.api_id, "stage": self._args.stage}],
            throttle_settings={"rate_limit": self._args.rate_limit, "burst_limit": 2 * self._args.rate_limit},
            quota_settings={"limit": self._args.daily_quota, "period": "DAY"},
            opts=self._child,
        )
        for client, value in self._args.client_keys.items():
            key = aws.apigateway.ApiKey(
                f"{self._prefix}-{client}",
                name=f"{self._args.name}-{client}",
                value=value,
                opts=self._child,
            )
            aws.apigateway.UsagePlanKey(
                f"{self._prefix}-{client}",
                usage_plan_id=plan.id,
                key_id=key.id,
                key_type="API_KEY",
                opts=self._child,
            )
        return plan.id
