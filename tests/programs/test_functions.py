"""Every function is made the same way (R7)."""

from collections.abc import Callable
from typing import Any

import pytest

from policy.rules import functions
from policy.rules.rows import Row, Rows, of_type
from tests.programs.changes import Change, changed, giving
from tests.programs.profiles import DEFAULTS, registered

Rule = Callable[[Rows], list[str]]
FUNCTION = (functions.FUNCTION, "payments-function")
SUBNET = "aws:ec2/subnet:Subnet"
QUEUE = ("aws:sqs/queue:Queue", "dead-letters-queue")


@pytest.mark.parametrize(
    ("rule", "what", "path", "value"),
    [
        (functions.log_group_first, FUNCTION, ["loggingConfig"], {"logGroup": "/aws/lambda/other"}),
        (functions.log_retention_required, (functions.LOG_GROUP, "payments-logs"), ["retentionInDays"], 0),
        (functions.dead_letter_queue_required, FUNCTION, ["deadLetterConfig"], None),
        (
            functions.dead_letter_queue_required,
            FUNCTION,
            ["deadLetterConfig", "targetArn"],
            "arn:aws:sqs:us-east-2:000000000000:queue-dead-letters-secondary-test",
        ),
        (functions.dead_letter_queue_required, FUNCTION, ["role"], "arn:aws:iam::000000000000:role/other"),
        (functions.dead_letter_retention, QUEUE, ["messageRetentionSeconds"], 345600),
        (functions.duration_alarm_below_timeout, FUNCTION, ["timeout"], 8),
        (functions.tracing_required, FUNCTION, ["tracingConfig", "mode"], "PassThrough"),
        (functions.private_subnets, FUNCTION, ["vpcConfig"], None),
        (functions.private_subnets, FUNCTION, ["vpcConfig", "subnetIds"], ["subnet-of-one-zone"]),
        (functions.runtime_and_architecture, FUNCTION, ["architectures"], ["x86_64"]),
        (functions.runtime_and_architecture, FUNCTION, ["runtime"], "python3.9"),
    ],
)
def test_a_function_that_lacks_something_is_refused(
    rule: Rule, what: tuple[str, str], path: list[str], value: Any
) -> None:
    (violation,) = rule(changed(registered(DEFAULTS), *what, giving(*path, value=value)))

    assert " ".join(what) in violation


def test_a_function_in_public_subnets_is_refused() -> None:
    rows = registered(DEFAULTS)
    public = [row["outputs"]["id"] for row in of_type(rows, SUBNET) if row["name"].startswith("network-public")]
    assert len(public) == 6, "three zones in two regions"

    (violation,) = functions.private_subnets(changed(rows, *FUNCTION, giving("vpcConfig", "subnetIds", value=public)))
    assert "use private subnets" in violation


def test_a_function_that_may_be_there_before_its_log_group_is_refused() -> None:
    def forget(row: dict[str, Any]) -> None:
        row["options"]["depends_on"] = []

    (violation,) = functions.log_group_first(changed(registered(DEFAULTS), *FUNCTION, forget))
    assert violation.endswith("add the log group to depends_on")


def test_a_function_without_its_log_group_is_refused() -> None:
    rows: list[Row] = [row for row in registered(DEFAULTS) if row["name"] != "payments-logs"]

    assert [each.partition(";")[2] for each in functions.log_group_first(rows)] == [
        " create /aws/lambda/function-payments-primary-test",
        " create /aws/lambda/function-payments-secondary-test",
    ]


def test_what_is_changed_for_a_test_stays_as_it_was() -> None:
    change: Change = giving("timeout", value=900)
    changed(registered(DEFAULTS), *FUNCTION, change)

    assert {row["inputs"]["timeout"] for row in of_type(registered(DEFAULTS), functions.FUNCTION)}.isdisjoint({900})
