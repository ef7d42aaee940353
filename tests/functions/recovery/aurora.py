"""A fake of what `recovery` calls to move the database's writer: RDS, the Data API and Secrets Manager."""

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError

from tests.functions.harness import EAST_1
from tests.functions.recovery.settings import CLUSTERS


@dataclass
class Aurora:
    """RDS, the Data API and Secrets Manager, as clients of `recovery` in us-east-2 reach them. A member's Data API
    answers only while it is the writer [AURORA-17]; `reads` are members that answer as readers."""

    status: str = "available"
    writer: str = EAST_1  # by RDS
    accepts_writes: set[str] = field(default_factory=set)  # by the databases themselves
    reads: set[str] = field(default_factory=set)
    lags: dict[str, int | None] = field(default_factory=dict)  # milliseconds by region, as the writer shows them
    silent: set[tuple[str, str]] = field(default_factory=set)  # service and region
    down: set[str] = field(default_factory=set)  # regions of which no service answers
    cluster_status: str = "available"  # by RDS in the member's own region
    busy: set[str] = field(default_factory=set)  # changes that RDS refuses now: switchover, promotion
    begins_nevertheless: bool = False  # a refused change is in progress afterwards
    requested: list[tuple[str, str]] = field(default_factory=list)  # accepted changes, and the region that was called
    called: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, service: str, region: str) -> "AuroraClient":
        return AuroraClient(self, service, region)


@dataclass
class AuroraClient:
    """One client."""

    aurora: Aurora
    service: str
    region: str

    def _call(self) -> None:
        self.aurora.called.append((self.service, self.region))
        if (self.service, self.region) in self.aurora.silent or self.region in self.aurora.down:
            raise ConnectTimeoutError(endpoint_url=f"https://{self.service}.{self.region}")

    def describe_global_clusters(self, **_asked: str) -> dict[str, Any]:
        self._call()
        members = [{"DBClusterArn": arn, "IsWriter": region == self.aurora.writer} for region, arn in CLUSTERS.items()]
        return {"GlobalClusters": [{"Status": self.aurora.status, "GlobalClusterMembers": members}]}

    def describe_db_clusters(self, **_asked: str) -> dict[str, Any]:
        self._call()
        return {"DBClusters": [{"Status": self.aurora.cluster_status}]}

    def switchover_global_cluster(self, **asked: Any) -> None:
        self._change("switchover", "switching-over", asked)

    def failover_global_cluster(self, *, AllowDataLoss: bool, **asked: Any) -> None:
        assert AllowDataLoss
        self._change("promotion", "failing-over", asked)

    def _change(self, method: str, status: str, asked: dict[str, Any]) -> None:
        self._call()
        assert asked["TargetDbClusterIdentifier"] in CLUSTERS.values()
        if method in self.aurora.busy:
            if self.aurora.begins_nevertheless:
                self.aurora.status = status
            raise ClientError({"Error": {"Code": "InvalidGlobalClusterStateFault"}}, method)
        self.aurora.status = status
        self.aurora.requested.append((method, self.region))

    def get_secret_value(self, **_asked: str) -> dict[str, Any]:
        self._call()
        return {"ARN": "arn:secret", "SecretString": "not used"}

    def describe_secret(self, **_asked: str) -> dict[str, Any]:
        self._call()
        return {"ARN": "arn:secret"}

    def execute_statement(self, *, resourceArn: str, sql: str, **_asked: Any) -> dict[str, Any]:
        self._call()
        assert resourceArn == CLUSTERS[self.region]
        if "aurora_global_db_status" in sql and self.region in self.aurora.accepts_writes:
            shown = self.aurora.lags.items()
            values = [(region, {"isNull": True} if lag is None else {"longValue": lag}) for region, lag in shown]
            return {"records": [[{"stringValue": region}, value] for region, value in values]}
        if self.region in self.aurora.accepts_writes | self.aurora.reads:
            is_reader = self.region in self.aurora.reads
            # As the engines answer: a boolean and a number.
            return {"records": [[{"booleanValue": is_reader} if "recovery" in sql else {"longValue": int(is_reader)}]]}
        raise ClientError({"Error": {"Code": "DatabaseUnavailableException"}}, "ExecuteStatement")
