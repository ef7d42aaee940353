"""Names of resources: `{resource-type}-{place}-{suffix}` in a region, `{resource-type}-{suffix}` elsewhere.

Names that another stack or a function must know without a reference (the journal table, the keys' alias) are methods
here, so that both sides derive the same one. None is left to Pulumi (docs/decisions/0013-names-are-explicit.md).
"""

import hashlib
from dataclasses import dataclass

from shared.places import Place

# Elastic Load Balancing: load balancer and target group names hold at most 32 characters.
LOAD_BALANCER_LIMIT = 32
# IAM: role names hold at most 64 characters; so do Lambda function names.
ROLE_LIMIT = 64

_DIGEST_LENGTH = 6


def shorten(name: str, limit: int) -> str:
    """`name` if it fits into `limit` characters, else its beginning and a hash of the whole, so it stays unique."""
    if len(name) <= limit:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{name[: limit - _DIGEST_LENGTH - 1].rstrip('-')}-{digest}"


@dataclass(frozen=True)
class Names:
    """The names of one environment, distinguished from others in the account by its suffix."""

    suffix: str

    def regional(self, kind: str, place: Place, *, limit: int = ROLE_LIMIT) -> str:
        """Of a regional resource: `nlb-primary-dev`. A longer kind distinguishes several: `function-payments`."""
        return shorten(f"{kind}-{place}-{self.suffix}", limit)

    def shared(self, kind: str, *, limit: int = ROLE_LIMIT) -> str:
        """Of a resource that exists once, or by the same name in both regions: `accelerator-dev`."""
        return shorten(f"{kind}-{self.suffix}", limit)

    @property
    def journal_table(self) -> str:
        """The DynamoDB global table; a global table has one name in all its regions."""
        return self.shared("table-journal")

    def backlog_table(self, place: Place) -> str:
        """The DynamoDB table of the region's backlog; each region reads both."""
        return self.regional("table-backlog", place)

    @property
    def data_key_alias(self) -> str:
        """Alias of each region's data key: equal in both, so that a policy can name the peer's key without its id."""
        return f"alias/{self.shared('key-data')}"

    @property
    def bus(self) -> str:
        """The event bus: a global endpoint needs the same name in both regions [EVENTS-1]."""
        return self.shared("bus")

    @property
    def events(self) -> str:
        """The event endpoint of the two buses."""
        return self.shared("endpoint-events")

    @property
    def global_cluster(self) -> str:
        """The Aurora global database."""
        return self.shared("aurora")

    @property
    def database_secret(self) -> str:
        """The database's credentials; a replica keeps the name in its region."""
        return self.shared("secret-database")

    @property
    def parameters(self) -> str:
        """Prefix of the parameters that are equal in both regions."""
        return f"/app/{self.suffix}"

    @property
    def own_parameters(self) -> str:
        """Prefix of a region's own parameters, which are never copied."""
        return f"{self.parameters}/local"

    def parameter_deletions(self, place: Place) -> str:
        """The region's parameter that counts deletions by the synchronization, which does not synchronize it."""
        return f"/parameter-sync/{self.regional('deletions', place)}"

    @property
    def endpoints(self) -> str:
        """Prefix of the parameters that hold the regions' URLs: `<region>/load-balancer`, `<region>/api` below it."""
        return f"{self.own_parameters}/endpoints"

    @property
    def event_endpoint_parameter(self) -> str:
        """Holds the event endpoint's id, which AWS chooses."""
        return f"{self.own_parameters}/event-endpoint"

    @property
    def writer_parameter(self) -> str:
        """Holds the region of the database's writer."""
        return f"{self.parameters}/database/writer-region"

    @property
    def restore_testing(self) -> str:
        """The restore testing plan: AWS Backup accepts letters, digits and underscores only [BACKUP-9]."""
        return f"restore_{self.suffix.replace('-', '_')}"

    @property
    def zone(self) -> str:
        """The hosted zone when none is configured. `.internal` is reserved for private use and never delegated
        (ICANN resolution 2024.07.29.06); the zone's own name servers still answer for it."""
        return f"{self.shared('dr')}.internal"
