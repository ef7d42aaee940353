"""The rule that EventBridge itself puts on each bus of a global endpoint, to replicate events. A bus with a rule cannot
be deleted (API DeleteEventBus), and this one goes by force only (API DeleteRule)."""

from ops.environment.aws import pages
from ops.teardown.sweeps.kind import Ground, Kind

PREFIX = "GlobalEndpointManagedRule-"


def find(ground: Ground) -> list[str]:
    client = ground.here("events")
    try:
        found = client.list_rules(EventBusName=ground.names.bus, NamePrefix=PREFIX)["Rules"]
    except client.exceptions.ResourceNotFoundException:
        return []
    return sorted(each["Name"] for each in found)


def remove(ground: Ground, name: str) -> None:
    client = ground.here("events")
    where = {"Rule": name, "EventBusName": ground.names.bus}
    try:
        targets = [each["Id"] for each in pages(client, "list_targets_by_rule", "Targets", **where)]
        if targets:
            client.remove_targets(**where, Ids=targets, Force=True)
        client.delete_rule(Name=name, EventBusName=ground.names.bus, Force=True)
    except client.exceptions.ResourceNotFoundException:
        return


KIND = Kind(name="managed rule", find=find, remove=remove, blocks_regions=True)
