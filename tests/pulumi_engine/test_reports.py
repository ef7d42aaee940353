"""The reading of the engine's plain output."""

from tests.pulumi_engine import reports
from tests.pulumi_engine.reports import Row

OUTPUT = """\
deploying primary and secondary, then global
[primary] Previewing update (dev):
[primary]  ~  aws:cloudwatch:LogGroup health-logs update [diff: ~retentionInDays]
[primary] Resources:
[primary]     ~ 1 to update
[primary]     205 unchanged
[secondary] Updating (dev):
[secondary]  ++ aws:apigateway:Deployment api-deployment creating replacement (0s) [diff: ~triggers]
[secondary]  ++ aws:apigateway:Deployment api-deployment created replacement (0.04s) [diff: ~triggers]
[secondary]  +- aws:apigateway:Deployment api-deployment replaced (0.00s) [diff: ~triggers]
[secondary]     aws:sqs:Queue dead-letters
[secondary] Resources:
[secondary]     +-1 replaced
[secondary]     - 2 deleted
[secondary]     3 changes. 203 unchanged
[secondary] Duration: 12s
[primary] Resources:
[primary]     ~ 1 updated
[primary]     1 errored
"""


def test_counts_are_those_of_the_last_run_of_each_stack() -> None:
    assert reports.counts(OUTPUT) == {
        "primary": {"update": 1},
        "secondary": {"replace": 1, "delete": 2, "unchanged": 203},
    }
    assert reports.kinds(OUTPUT)["primary"] == {"update"}


def test_rows_are_what_is_done_with_single_resources_in_order() -> None:
    deployment = ("secondary", "aws:apigateway:Deployment", "api-deployment")
    assert reports.rows(OUTPUT) == [
        Row("primary", "aws:cloudwatch:LogGroup", "health-logs", "update", "~retentionInDays"),
        Row(*deployment, "creating replacement", "~triggers"),
        Row(*deployment, "created replacement", "~triggers"),
        Row(*deployment, "replaced", "~triggers"),
    ]
    assert reports.changes(OUTPUT) == {
        "primary/aws:cloudwatch:LogGroup/health-logs": "~retentionInDays",
        "secondary/aws:apigateway:Deployment/api-deployment": "~triggers",
    }
