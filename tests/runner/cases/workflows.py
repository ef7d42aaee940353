"""Workflows of Step Functions."""

from typing import Any

from tests.runner.cases import Case, Client, Reading

PROGRAM = """
role = aws.iam.Role("runs", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": []}), opts=opts)
logs = aws.cloudwatch.LogGroup("runs", name="/aws/vendedlogs/states/runner", opts=opts)
key = aws.kms.Key("runs", opts=opts)
machine = aws.sfn.StateMachine(
    "machine", name="runner-machine", type="STANDARD", role_arn=role.arn, opts=opts,
    definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}, sort_keys=True),
    logging_configuration={
        "level": "ALL", "include_execution_data": False, "log_destination": pulumi.Output.concat(logs.arn, ":*"),
    },
    tracing_configuration={"enabled": True},
    encryption_configuration={
        "type": "CUSTOMER_MANAGED_KMS_KEY", "kms_key_id": key.arn, "kms_data_key_reuse_period_seconds": 300,
    },
)
pulumi.export("machine", machine.arn)
"""


def _machine(aws: Client, out: dict[str, Any]) -> dict[str, Any]:
    found = aws("stepfunctions").describe_state_machine(stateMachineArn=out["machine"])
    return {**found, "Logs": found["loggingConfiguration"]["level"]}


CASE = Case(
    program=PROGRAM,
    readings={
        "aws:sfn/stateMachine:StateMachine": Reading(
            _machine,
            {
                "name": "runner-machine",
                "type": "STANDARD",
                "definition": '{"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}',
                "Logs": "ALL",
            },
        ),
    },
    edits=(('"StartAt": "End", "States": {"End"', '"StartAt": "Stop", "States": {"Stop"'),),
    changed={
        "aws:sfn/stateMachine:StateMachine": {
            "definition": '{"StartAt": "Stop", "States": {"Stop": {"Type": "Succeed"}}}',
        },
    },
)
