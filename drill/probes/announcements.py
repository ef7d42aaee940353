"""Whether the posted payments are announced, by the ledger table of the embedded AWS's writer."""

from dataclasses import dataclass
from typing import Any

from drill.model.expectation import Finding, Observation
from drill.observe.aws import observing
from shared.deployment import Deployment
from shared.places import Place

_UNANNOUNCED = (
    "SELECT count(*), coalesce((extract(epoch FROM now() - min(posted_at)) * 1000)::bigint, 0) "
    "FROM ledger WHERE announced_at IS NULL"
)


@dataclass(frozen=True)
class Unannounced:
    """Rows that are not announced, and the age of the oldest one in seconds of this machine."""

    rows: int
    seconds: float


@dataclass(frozen=True)
class Announced:
    """Every row is announced, but those posted during the last `aws_seconds`; the announcer sweeps every minute."""

    place: Place = Place.PRIMARY  # of the writer
    aws_seconds: float = 180.0
    least_seconds: float = 10.0  # of this machine

    @property
    def statement(self) -> str:
        return "every posted payment is announced"

    def gather(self, deployment: Deployment) -> Unannounced:
        outputs = deployment.global_outputs
        arn = outputs.primary_cluster_arn if self.place is Place.PRIMARY else outputs.secondary_cluster_arn
        with observing(f"the ledger in {deployment.region(self.place)} cannot be read"):
            found = deployment.client("rds-data", self.place).execute_statement(
                resourceArn=arn,
                secretArn=outputs.database_secret_arn,
                database=outputs.database_name,
                sql=_UNANNOUNCED,
            )
        [[rows, milliseconds]] = found["records"]
        return Unannounced(rows=rows["longValue"], seconds=milliseconds["longValue"] / 1000)

    def check(self, observed: Observation) -> Finding:
        found: Any = observed.gathered.get(self.statement)
        if not isinstance(found, Unannounced):
            return Finding(met=False, evidence="the ledger could not be read")
        limit = max(self.least_seconds, self.aws_seconds / observed.speed)
        evidence = f"{found.rows} rows not announced, the oldest for {found.seconds * observed.speed:.0f} AWS s"
        return Finding(met=found.seconds <= limit, evidence=evidence)
