"""AWS providers of the stacks, each with a region and the default tags of its resources."""

import pulumi_aws as aws

from shared.places import Place
from shared.settings import EnvironmentSettings
from shared.tags import default_tags


def regional_provider(settings: EnvironmentSettings, place: Place) -> aws.Provider:
    """The provider of the regional stack at `place`."""
    return _provider(str(place), settings.region(place), settings, str(place))


def global_provider(settings: EnvironmentSettings) -> aws.Provider:
    """The provider of global services, such as Route 53 and Global Accelerator: the AWS provider chooses the endpoint
    of their APIs itself [PROVIDER-1]."""
    return _provider("global", settings.primary_region, settings, "global")


def _provider(name: str, region: str, settings: EnvironmentSettings, place: str) -> aws.Provider:
    tags = default_tags(
        environment=settings.environment,
        cost_center=settings.cost_center,
        criticality=settings.criticality,
        place=place,
    )
    return aws.Provider(name, region=region, default_tags={"tags": tags})
