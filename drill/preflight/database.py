"""The Aurora global database: could its reader be the writer in a moment?"""

from typing import Any

from drill.preflight.finding import Found, check, critical, ok, warning, worst
from shared.deployment import Deployment
from shared.places import Place


def cluster(deployment: Deployment, place: Place) -> dict[str, Any]:
    """A member as its own region describes it."""
    arn = member_arn(deployment, place)
    answer = deployment.client("rds", place).describe_db_clusters(DBClusterIdentifier=arn.rpartition(":")[2])
    found: dict[str, Any] = answer["DBClusters"][0]
    return found


def member_arn(deployment: Deployment, place: Place) -> str:
    outputs = deployment.global_outputs
    return outputs.primary_cluster_arn if place is Place.PRIMARY else outputs.secondary_cluster_arn


def members(deployment: Deployment, at: Place = Place.PRIMARY) -> list[dict[str, Any]]:
    """The global cluster's members, as the region at `at` describes them."""
    answer = deployment.client("rds", at).describe_global_clusters(
        GlobalClusterIdentifier=deployment.global_outputs.global_cluster_id
    )
    found: list[dict[str, Any]] = answer["GlobalClusters"][0]["GlobalClusterMembers"]
    return found


def writer(deployment: Deployment) -> Place | None:
    """The place of the writer; None if no member is the writer."""
    writers = [each["DBClusterArn"] for each in members(deployment) if each.get("IsWriter")]
    return next((place for place in Place if [member_arn(deployment, place)] == writers), None)


@check("database members")
def members_available(deployment: Deployment) -> Found:
    """Both joined, both available, each with an instance that could take the writer's role."""
    joined = {each["DBClusterArn"]: each for each in members(deployment)}
    return worst(_member(deployment, place, joined) for place in Place)


def _member(deployment: Deployment, place: Place, joined: dict[str, dict[str, Any]]) -> Found:
    region, arn = deployment.region(place), member_arn(deployment, place)
    if arn not in joined:
        return critical(f"{region}: not a member of the global database", "add it again: deploy the global stack")
    found = cluster(deployment, place)
    if found["Status"] != "available":
        return critical(f"{region}: {found['Status']}", "wait until it is available, or see its events")
    if not found.get("DBClusterMembers"):
        return critical(f"{region}: no instance, so it cannot be promoted", "deploy the global stack again")
    if joined[arn].get("SynchronizationStatus", "connected") != "connected":
        return critical(f"{region}: {joined[arn]['SynchronizationStatus']}", "see the member's events")
    return ok(f"{region}: available")


@check("database versions equal")
def versions_equal(deployment: Deployment) -> Found:
    """Aurora hands the role over only between equal versions [AURORA-9]."""
    versions = {place: str(cluster(deployment, place)["EngineVersion"]) for place in Place}
    evidence = ", ".join(f"{deployment.region(place)}: {version}" for place, version in versions.items())
    if len(set(versions.values())) > 1:
        return critical(
            evidence, "upgrade the member that is behind; until then no switchover and no failover is possible"
        )
    return ok(evidence)


@check("database capacity equal")
def capacity_equal(deployment: Deployment) -> Found:
    scaling = {
        place: cluster(deployment, place).get("ServerlessV2ScalingConfiguration", {}).get("MaxCapacity")
        for place in Place
    }
    evidence = ", ".join(f"{deployment.region(place)}: up to {most} ACU" for place, most in scaling.items())
    if len(set(scaling.values())) > 1:
        return warning(evidence, "give both members the same capacity: deploy the global stack again")
    return ok(evidence)


@check("writer in the primary region")
def writer_in_primary(deployment: Deployment) -> Found:
    where = writer(deployment)
    if where is None:
        return critical("the global database has no writer among our members", "see the global cluster's events")
    if where is not Place.PRIMARY:
        return warning(
            f"{deployment.region(where)} ({where}) is the writer", "a failback is outstanding: make failback"
        )
    return ok(f"{deployment.region(where)} is the writer")


@check("database credentials replicated")
def secret_replicated(deployment: Deployment) -> Found:
    """Its description, never its value."""
    found = deployment.client("secretsmanager", Place.PRIMARY).describe_secret(
        SecretId=deployment.global_outputs.database_secret_arn
    )
    region = deployment.region(Place.SECONDARY)
    states = [each["Status"] for each in found.get("ReplicationStatus", []) if each["Region"] == region]
    if states != ["InSync"]:
        return critical(
            f"{region}: {states[0] if states else 'no replica'}", "without them its ledger cannot write: deploy global"
        )
    return ok(f"{region}: in sync")
