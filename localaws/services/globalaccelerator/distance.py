"""Great-circle distances between AWS regions, by which an accelerator finds the nearest one here.

AWS decides by network distance from the client's edge location; the order of regions comes out the same for the ones
that lie far enough apart, us-east-1 and us-east-2 among them.
"""

from collections.abc import Iterable
from math import asin, cos, radians, sin, sqrt

# Latitude and longitude of the place AWS names for each region
# (https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html).
_PLACES = {
    "af-south-1": (-33.9, 18.4),  # Cape Town
    "ap-east-1": (22.3, 114.2),  # Hong Kong
    "ap-northeast-1": (35.7, 139.7),  # Tokyo
    "ap-northeast-2": (37.6, 127.0),  # Seoul
    "ap-northeast-3": (34.7, 135.5),  # Osaka
    "ap-south-1": (19.1, 72.9),  # Mumbai
    "ap-south-2": (17.4, 78.5),  # Hyderabad
    "ap-southeast-1": (1.4, 103.8),  # Singapore
    "ap-southeast-2": (-33.9, 151.2),  # Sydney
    "ap-southeast-3": (-6.2, 106.8),  # Jakarta
    "ap-southeast-4": (-37.8, 145.0),  # Melbourne
    "ca-central-1": (45.5, -73.6),  # Central Canada
    "ca-west-1": (51.0, -114.1),  # Calgary
    "eu-central-1": (50.1, 8.7),  # Frankfurt
    "eu-central-2": (47.4, 8.5),  # Zurich
    "eu-north-1": (59.3, 18.1),  # Stockholm
    "eu-south-1": (45.5, 9.2),  # Milan
    "eu-south-2": (41.6, -0.9),  # Spain
    "eu-west-1": (53.3, -6.3),  # Ireland
    "eu-west-2": (51.5, -0.1),  # London
    "eu-west-3": (48.9, 2.4),  # Paris
    "il-central-1": (32.1, 34.8),  # Tel Aviv
    "me-central-1": (24.5, 54.4),  # UAE
    "me-south-1": (26.1, 50.6),  # Bahrain
    "sa-east-1": (-23.5, -46.6),  # São Paulo
    "us-east-1": (39.0, -77.5),  # N. Virginia
    "us-east-2": (40.0, -83.0),  # Ohio
    "us-west-1": (37.8, -122.4),  # N. California
    "us-west-2": (45.9, -119.3),  # Oregon
}
_EARTH_RADIUS = 6371.0


def kilometres(one: str, other: str) -> float:
    """Great-circle distance between two regions. Raises ValueError for a region not in the table."""
    for region in (one, other):
        if region not in _PLACES:
            raise ValueError(f"region {region} has no place on the map; add it to {__name__}")
    (latitude, longitude), (to_latitude, to_longitude) = _PLACES[one], _PLACES[other]
    half_chord = (
        sin(radians(to_latitude - latitude) / 2) ** 2
        + cos(radians(latitude)) * cos(radians(to_latitude)) * sin(radians(to_longitude - longitude) / 2) ** 2
    )
    return 2 * _EARTH_RADIUS * asin(sqrt(half_chord))


def nearest_first(client_region: str, regions: Iterable[str]) -> list[str]:
    """`regions` in the order in which a client near `client_region` reaches them."""
    return sorted(regions, key=lambda region: (kilometres(client_region, region), region))
