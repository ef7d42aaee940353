"""Parameters under the environment's prefix: copies in the other region are nobody's but the synchronization's, and a
late event can write one after Pulumi has deleted its source."""

from ops.environment.aws import pages
from ops.teardown.sweeps.kind import Ground, Kind


def find(ground: Ground) -> list[str]:
    below = {"Key": "Name", "Option": "BeginsWith", "Values": [f"{ground.names.parameters}/"]}
    found = pages(ground.here("ssm"), "describe_parameters", "Parameters", ParameterFilters=[below])
    return sorted(each["Name"] for each in found)


def remove(ground: Ground, name: str) -> None:
    client = ground.here("ssm")
    try:
        client.delete_parameter(Name=name)
    except client.exceptions.ParameterNotFound:
        return


KIND = Kind(name="parameter", find=find, remove=remove)
