"""Whether a region offers what an environment creates there: zones, the database version, backups of its data."""

from collections.abc import Iterator

from ops.environment.aws import Client
from ops.rollout.finding import Finding, State
from shared.places import Place
from shared.settings import GlobalSettings

BACKED_UP = ("Aurora", "DynamoDB", "S3")
"""Resource types of the backup plan, as AWS Backup names them."""


def findings(client: Client, found: GlobalSettings, place: Place, *, deployed: bool) -> Iterator[Finding]:
    """Raises ClientError without permission. A deployed environment keeps its database whatever can be created."""
    region = found.region(place)
    yield zones(client, region, found.zone_names(place), setting=f"network:{place}Zones")
    if not deployed:
        yield database_version(client, region, found)
    yield backups(client, region)


def zones(client: Client, region: str, wanted: list[str], *, setting: str) -> Finding:
    """Letters of zones differ by account in some regions."""
    answer = client("ec2", region).describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])
    there = sorted(each["ZoneName"] for each in answer["AvailabilityZones"])
    if missing := sorted(set(wanted) - set(there)):
        letters = "".join(each.removeprefix(region) for each in there)
        return Finding(
            State.WRONG, f"the account has no zone {', '.join(missing)}", f"set {setting} to some of {letters}"
        )
    return Finding(State.RIGHT, f"zones {', '.join(wanted)}")


def database_version(client: Client, region: str, found: GlobalSettings) -> Finding:
    """RDS lists only versions that can be created."""
    engine, version = found.engine, found.database_version
    listed = client("rds", region).describe_db_engine_versions(Engine=engine, EngineVersion=version)
    if listed["DBEngineVersions"]:
        return Finding(State.RIGHT, f"{engine} {version} in {region}")
    return Finding(
        State.WRONG,
        f"{engine} {version} can no longer be created in {region}",
        "set database:engineVersion, in the global stack, to a version that both regions offer: aws rds "
        f"describe-db-engine-versions --engine {engine} --region {region} --query DBEngineVersions[].EngineVersion",
    )


def backups(client: Client, region: str) -> Finding:
    """A backup plan leaves Aurora out without the opt-in, even if it names the cluster; a copy of DynamoDB in another
    region needs AWS Backup's own management of it [BACKUP-10]."""
    settings = client("backup", region).describe_region_settings()
    off = [each for each in BACKED_UP if not settings["ResourceTypeOptInPreference"].get(each)]
    managed = settings.get("ResourceTypeManagementPreference", {}).get("DynamoDB")
    if not off and managed:
        return Finding(State.RIGHT, f"AWS Backup in {region} includes {', '.join(BACKED_UP)}")
    what = [f"leaves out {', '.join(off)}"] if off else []
    what += [] if managed else ["does not manage DynamoDB, so copies to the other region fail"]
    opted = ",".join(f"{each}=true" for each in BACKED_UP)
    return Finding(
        State.WRONG,
        f"AWS Backup in {region} {'; '.join(what)}",
        f"aws backup update-region-settings --region {region} --resource-type-opt-in-preference {opted} "
        "--resource-type-management-preference DynamoDB=true",
    )
