"""The account to which combinations are deployed one after the other, and the resources that each leaves behind."""

from collections.abc import Sequence
from typing import Any

from tests.local.embedded import EAST_1, LocalAws
from tests.matrix import inventory, leftovers
from tests.matrix.inventory import Inventory, Listing


class Account:
    """An account with the inventory from before the current combination."""

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
        """The identifiers that were added since, by call and region."""
        return inventory.difference(self._before, self._take())

    def settle(self) -> tuple[dict[tuple[str, str], list[str]], dict[tuple[str, str], list[str]]]:
        """The identifiers that were added since, without the known leftovers, and those that are missing now.

        The current inventory becomes the one for the next combination.
        """
        before, now = self._before, self._take()
        self._before = now
        left = leftovers.unknown(self.client, inventory.difference(before, now))
        missing = {where: sorted(gone) for where, gone in inventory.difference(now, before).items()}
        return left, missing

    def _take(self) -> Inventory:
        return inventory.take(self.client, self.regions, [self._records])
