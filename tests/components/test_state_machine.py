"""A state machine as a resource."""

import json
from collections.abc import Callable, Mapping

import pulumi
import pulumi_aws as aws

from components.compute.state_machine import StateMachine, StateMachineArgs
from tests.components.documents import statements
from tests.recorder import Built

Build = Callable[[Callable[[], object]], Built]
KEY = "arn:aws:kms:us-east-2:000000000000:key/data"
FUNCTIONS = {
    "recovery": "arn:aws:lambda:us-east-2:000000000000:function:recovery",
    "ledger": "arn:aws:lambda:us-east-2:000000000000:function:ledger",
}


def program() -> None:
    def define(arns: Mapping[str, str]) -> str:
        return json.dumps({"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": arns["recovery"]}}})

    provider = aws.Provider("secondary", region="us-east-2")
    StateMachine(
        "failover",
        StateMachineArgs(
            name="failover-secondary-dev",
            region="us-east-2",
            account="000000000000",
            define=define,
            functions=FUNCTIONS,
            key_arn=KEY,
            log_retention_days=30,
        ),
        opts=pulumi.ResourceOptions(providers=[provider]),
    )


def test_it_runs_the_definition_with_the_functions_it_was_given(build: Build) -> None:
    made = build(program).one("aws:sfn/stateMachine:StateMachine").inputs

    assert json.loads(made["definition"])["States"]["A"]["Resource"] == FUNCTIONS["recovery"]
    assert (made["name"], made["type"]) == ("failover-secondary-dev", "STANDARD")


def test_it_is_logged_traced_and_encrypted_with_our_key(build: Build) -> None:
    built = build(program)
    made, logs = built.one("StateMachine", "failover-machine").inputs, built.one("LogGroup").inputs

    assert made["tracingConfiguration"] == {"enabled": True}
    assert made["encryptionConfiguration"]["kmsKeyId"] == KEY
    assert made["loggingConfiguration"]["level"] == "ALL"
    assert made["loggingConfiguration"]["includeExecutionData"] is False, "the approval's token would be logged"
    assert made["loggingConfiguration"]["logDestination"].endswith("failover-logs:*")
    assert logs["name"] == "/aws/vendedlogs/states/failover-secondary-dev"
    assert (logs["kmsKeyId"], logs["retentionInDays"]) == (KEY, 30)


def test_it_may_call_its_functions_and_no_others(build: Build) -> None:
    allowed = statements(build(program), "RolePolicy")
    (calls,) = [each for each in allowed if each["Action"] == ["lambda:InvokeFunction"]]

    assert sorted(calls["Resource"]) == sorted(FUNCTIONS.values())
    wide = {action for each in allowed if each["Resource"] == ["*"] for action in each["Action"]}
    assert wide, "the log delivery is missing"
    assert {action.split(":")[0] for action in wide} == {"logs", "xray"}


def test_only_step_functions_takes_on_its_role(build: Build) -> None:
    (trusted,) = json.loads(build(program).one("Role").inputs["assumeRolePolicy"])["Statement"]

    assert trusted["Principal"] == {"Service": "states.amazonaws.com"}
