"""The regional cell at place secondary. It reads no other stack and can be rolled out at any time."""

import pulumi

from components.edge.dns import existing_zone
from components.region.region import Region, RegionArgs, account_id
from shared import config
from shared.places import Place
from shared.providers import regional_provider
from shared.references import export
from shared.settings import RegionSettings

PLACE = Place.SECONDARY

settings = config.read(RegionSettings)
provider = regional_provider(settings, PLACE)
cell = Region(
    str(PLACE),
    RegionArgs(
        place=PLACE,
        settings=settings,
        account=account_id(provider),
        zone_id=None if settings.create_zone else existing_zone(settings.hosted_zone, provider).zone_id,
        client_keys=config.secrets("api:clientKeys"),
    ),
    opts=pulumi.ResourceOptions(providers=[provider]),
)
export(cell.exports)
