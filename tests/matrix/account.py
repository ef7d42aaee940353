"""The account that combinations are deployed to, one after the other, and what each leaves behind in it."""

from collections.abc import Sequence
from typing import Any

from tests.local.embedded import EAST_1, LocalAws
from tests.matrix import inventory
from tests.matrix.inventory import Inventory, Listing
from tests.matrix.leftovers import is_known


class Account:
    """Knows what was there before the combination that is deployed now."""

    def __init__(self, aws: LocalAws, regions: Sequence[str], zone_id: str) -> None:
        self.aws = aws
        self.regions = regions
        self._records = Listing(
            "route53",
            "list_resource_record_sets",
            "ResourceRecordSets[].join(' ', [Name, Type, SetIdentifier || ''])",
            {"HostedZoneId": zone_id},
            region=EAST_1,
        )
        self._before = self._take()

    @property
    def endpoint(self) -> str:
        return self.aws.server.endpoint

    def client(self, service: str, region: str) -> Any:
        return self.aws.client(service, region)

    def added(self) -> dict[tuple[str, str], frozenset[str]]:
        """What is there now and was not before, by call and region."""
        return inventory.difference(self._before, self._take())

    def close_books(self) -> tuple[dict[tuple[str, str], list[str]], dict[tuple[str, str], list[str]]]:
        """What is there now and was not before, without the known leftovers; and what was there and is not now.

        The next combination starts from what is there now.
        """
        before, now = self._before, self._take()
        self._before = now
        left = {
            (listing, region): [each for each in sorted(new) if not is_known(self.client, listing, region, each)]
            for (listing, region), new in inventory.difference(before, now).items()
        }
        missing = {where: sorted(gone) for where, gone in inventory.difference(now, before).items()}
        return {where: found for where, found in left.items() if found}, missing

    def _take(self) -> Inventory:
        return inventory.take(self.client, self.regions, [self._records])
