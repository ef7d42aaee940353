"""The settings of a `recovery` function in us-east-2, the survivor in these tests."""

from recovery.settings import Settings

from tests.functions.harness import EAST_1, EAST_2, TABLE

PARAMETER = "/app/dev/database/writer-region"

CLUSTERS = {region: f"arn:aws:rds:{region}:000000000000:cluster:c" for region in (EAST_1, EAST_2)}


def recovery_settings(*, topic_arn: str = "arn:aws:sns:us-east-2:000000000000:topic") -> Settings:
    return Settings.read(
        {
            "AWS_REGION": EAST_2,
            "PLACE": "secondary",
            "PEER_REGION": EAST_1,
            "JOURNAL_TABLE": TABLE,
            "PEER_WITNESS_NAME": "witness-primary.dr-dev.internal",
            "GLOBAL_CLUSTER": "aurora-dev",
            "CLUSTER_ARN": CLUSTERS[EAST_2],
            "PEER_CLUSTER_ARN": CLUSTERS[EAST_1],
            "DATABASE_ENGINE": "aurora-postgresql",
            "DATABASE_NAME": "payments",
            "DATABASE_SECRET": "secret-database-dev",
            "WRITER_PARAMETER": PARAMETER,
            "ENDPOINTS_PREFIX": "/app/dev/endpoints",
            "PAYMENTS_FUNCTION": "payments",
            "LEDGER_FUNCTION": "ledger",
            "PEER_LEDGER_FUNCTION": "ledger",
            "BACKLOG_TABLE": "backlog",
            "PEER_BACKLOG_TABLE": "backlog",
            "TOPIC_ARN": topic_arn,
            "SERVICE_VERSION": "1.2.3",
            "METRICS_NAMESPACE": "dr-test",
        }
    )
