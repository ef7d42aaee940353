"""Log groups that a late call made again after Pulumi had deleted them, and those that RDS makes for itself.

Such a group carries no tags, so it is known by its name alone: a prefix that says what of ours writes there, and the
place and the suffix at its end.
"""

from ops.environment.aws import pages
from ops.teardown.sweeps.kind import Ground, Kind

PREFIXES = (
    "/aws/lambda/function-",
    "/aws/vendedlogs/states/failover-",
    "/aws/vendedlogs/states/failback-",
    "/aws/apigateway/api-payments-",
    "/aws/vpc/flow-logs/vpc-",
    "aws-waf-logs-acl-",
)


def find(ground: Ground) -> list[str]:
    end = f"-{ground.place}-{ground.names.suffix}"
    cluster = f"/aws/rds/cluster/{ground.names.regional('aurora', ground.place)}/"
    found: list[str] = []
    for prefix in (*PREFIXES, cluster):
        groups = pages(ground.here("logs"), "describe_log_groups", "logGroups", logGroupNamePrefix=prefix)
        names = [each["logGroupName"] for each in groups]
        found += [name for name in names if prefix == cluster or name.endswith(end)]
    return sorted(found)


def remove(ground: Ground, name: str) -> None:
    client = ground.here("logs")
    try:
        client.delete_log_group(logGroupName=name)
    except client.exceptions.ResourceNotFoundException:
        return


KIND = Kind(name="log group", find=find, remove=remove)
