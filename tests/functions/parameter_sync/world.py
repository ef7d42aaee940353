"""Two regions in memory with the function's own code between them, and people who change things in both."""

import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar
from uuid import uuid4

from aws_lambda_powertools import Logger
from parameter_sync.batch import BatchProcessor
from parameter_sync.deletions import Budget
from parameter_sync.messages import Queues
from parameter_sync.reconcile import Reconciled, Reconciliation
from parameter_sync.settings import Scope
from parameter_sync.store import Store
from parameter_sync.sync import Outcome, Synchronizer

from tests.functions.harness import EAST_1, EAST_2
from tests.functions.parameter_sync.fake_parameter_store import FakeParameterStore, role_session

PREFIX = "/app/dev"
ROLES = {EAST_1: "sync-primary", EAST_2: "sync-secondary"}
DELETIONS = "/parameter-sync/dev/deletions"
SCOPE = Scope(prefix=PREFIX, private=f"{PREFIX}/local")


Done = TypeVar("Done")


class World:
    """`skew` is by how many milliseconds the second region's clock is ahead."""

    def __init__(self, *, settling_seconds: int = 0, skew: int = 0) -> None:
        self.time = 1_700_000_000_000  # Unix milliseconds
        self.east1 = FakeParameterStore(EAST_1, lambda: self.time)
        self.east2 = FakeParameterStore(EAST_2, lambda: self.time + skew)
        self.regions = {EAST_1: self.east1, EAST_2: self.east2}
        self.settling = settling_seconds
        self.log = io.StringIO()

    def pass_time(self, seconds: float = 1) -> None:
        self.time += round(seconds * 1000)

    def put(self, region: str, name: str, value: str, **more: Any) -> None:
        """Someone sets a parameter; it is made if need be."""
        self.pass_time()
        known = name in self.regions[region].versions
        kind = {} if known else {"Type": "String"}
        self.regions[region].as_person(
            "put_parameter", **{"Name": name, "Value": value, "Overwrite": known, **kind, **more}
        )

    def delete(self, region: str, name: str) -> None:
        self.pass_time()
        self.regions[region].as_person("delete_parameter", Name=name)

    def tag(self, region: str, name: str, **tags: str) -> None:
        given = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.regions[region].as_person("add_tags_to_resource", ResourceType="Parameter", ResourceId=name, Tags=given)

    def label(self, region: str, name: str, *labels: str) -> None:
        newest = len(self.regions[region].versions[name])
        self.regions[region].as_person(
            "label_parameter_version", Name=name, ParameterVersion=newest, Labels=list(labels)
        )

    def synchronizer(self, region: str = EAST_1) -> Synchronizer:
        """The function of a region."""
        return Synchronizer(self._stores(region), settling_seconds=self.settling, now=lambda: self.time / 1000)

    def synchronize(self, name: str, region: str = EAST_1) -> Outcome:
        return self.acting(region, lambda: self.synchronizer(region).synchronize(name, permit=lambda _: None))

    def reconcile(
        self,
        region: str = EAST_1,
        *,
        deep: bool = False,
        after: str = "",
        should_stop: Callable[[], bool] = lambda: False,
        **more: Any,
    ) -> Reconciled:
        walk = self._reconciliation(region)
        return self.acting(
            region, lambda: walk.repair(after=after, is_due=lambda _: deep, should_stop=should_stop, **more)
        )

    def compare(self, region: str = EAST_1) -> Reconciled:
        return self._reconciliation(region).compare(after="", should_stop=lambda: False)

    def batches(self, region: str, deferred: list[dict[str, Any]]) -> BatchProcessor:
        """The processing of a region's events; messages that it sends to its own queue are appended to `deferred`."""
        client = SimpleNamespace(send_message=lambda **asked: deferred.append(json.loads(asked["MessageBody"])))
        settings: Any = SimpleNamespace(settling_seconds=self.settling, attempts=5, retry_seconds=30)
        return BatchProcessor(
            settings,
            SCOPE,
            self.synchronizer(region),
            Queues(client, region=region, url="own", dead_letter_url="dead"),
            self._reconciliation(region).brake,
            self._logger(),
            lambda _: None,
            lambda *_: None,
        )

    def acting(self, region: str, act: Callable[[], Done]) -> Done:
        """`act` with the role of the function of `region`."""
        before = [store.user for store in self.regions.values()]
        for store in self.regions.values():
            store.user = role_session(ROLES[region])
        try:
            return act()
        finally:
            for store, user in zip(self.regions.values(), before, strict=True):
                store.user = user

    def writes(self) -> int:
        """Versions that the function has written and deletions that it has made."""
        return sum(store.writes.total() for store in self.regions.values())

    def calls(self) -> int:
        return sum(store.calls.total() for store in self.regions.values())

    def _reconciliation(self, region: str) -> Reconciliation:
        budget = Budget(records=dict.fromkeys(self.regions, DELETIONS), now=lambda: self.time / 1000)
        return Reconciliation(self._stores(region), self.synchronizer(region), self._logger(), budget=budget)

    def _logger(self) -> Logger:
        return Logger(service=f"parameter-sync-{uuid4()}", stream=self.log)

    def _stores(self, region: str) -> tuple[Store, Store]:
        own, peer = self.regions[region], self.regions[EAST_2 if region == EAST_1 else EAST_1]
        one, other = (
            Store(
                store,
                region=store.region,
                place="primary" if store.region == EAST_1 else "secondary",
                scope=SCOPE,
                key_alias="alias/key-data-dev",
                is_sync_role=lambda arn: any(f":assumed-role/{role}/" in arn for role in ROLES.values()),
            )
            for store in (own, peer)
        )
        return one, other
