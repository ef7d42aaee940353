"""Explicit providers: one per region and place, with the tags that everything made through it carries."""

import pulumi_aws as aws

from shared.places import Place
from shared.settings import EnvironmentSettings
from shared.tags import default_tags


def regional_provider(settings: EnvironmentSettings, place: Place) -> aws.Provider:
    """The provider for what lives at `place`."""
    return _provider(str(place), settings.region(place), settings, str(place))


def global_provider(settings: EnvironmentSettings) -> aws.Provider:
    """The provider for what exists once (Route 53, Global Accelerator): their APIs have no region of ours to choose,
    the AWS provider routes them itself [PROVIDER-1]."""
    return _provider("global", settings.primary_region, settings, "global")


def _provider(name: str, region: str, settings: EnvironmentSettings, place: str) -> aws.Provider:
    tags = default_tags(
        environment=settings.environment,
        cost_center=settings.cost_center,
        criticality=settings.criticality,
        place=place,
    )
    return aws.Provider(name, region=region, default_tags={"tags": tags})
