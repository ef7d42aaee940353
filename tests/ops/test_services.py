"""Whether a region offers what an environment creates there: zones, the database's version, backups."""

from typing import Any

import pytest

from ops.rollout import services
from ops.rollout.finding import State
from shared.places import Place
from shared.settings import GlobalSettings, load

SETTINGS = load(GlobalSettings, {}, stack="dev")


class Region:
    """EC2, RDS and AWS Backup, with these answers. `off` is a type of resource, or `managed`, for DynamoDB."""

    def __init__(self, *, zones: str = "abcd", versions: tuple[str, ...] = ("16.8",), off: str = "") -> None:
        self._zones, self._versions, self._off = zones, versions, off

    def __call__(self, _service: str, region: str) -> "Region":
        self._region = region
        return self

    def describe_availability_zones(self, **_: Any) -> dict[str, Any]:
        return {"AvailabilityZones": [{"ZoneName": f"{self._region}{letter}"} for letter in self._zones]}

    def describe_db_engine_versions(self, *, Engine: str, EngineVersion: str) -> dict[str, Any]:
        found = [each for each in self._versions if each == EngineVersion]
        return {"DBEngineVersions": [{"Engine": Engine, "EngineVersion": each} for each in found]}

    def describe_region_settings(self) -> dict[str, Any]:
        opted = {each: each != self._off for each in services.BACKED_UP}
        managed = {"ResourceTypeManagementPreference": {"DynamoDB": True}} if self._off != "managed" else {}
        return {"ResourceTypeOptInPreference": opted, **managed}


def test_a_region_that_offers_everything_is_right() -> None:
    found = list(services.findings(Region(), SETTINGS, Place.PRIMARY, deployed=False))

    assert len(found) == 3
    assert {each.state for each in found} == {State.RIGHT}


def test_a_zone_that_the_account_lacks_is_wrong() -> None:
    found = services.zones(Region(zones="acd"), "us-east-1", ["us-east-1a", "us-east-1b"], setting="network:x")

    assert (found.state, found.what) == (State.WRONG, "the account has no zone us-east-1b")
    assert found.remedy == "set network:x to some of acd"


def test_a_version_that_can_no_longer_be_created_is_wrong() -> None:
    found = services.database_version(Region(versions=("16.11",)), "us-east-1", SETTINGS)

    assert (found.state, found.what) == (
        State.WRONG,
        "aurora-postgresql 16.8 can no longer be created in us-east-1",
    )
    assert "set database:engineVersion" in found.remedy


def test_a_deployed_database_is_not_asked_about() -> None:
    found = list(services.findings(Region(versions=()), SETTINGS, Place.PRIMARY, deployed=True))

    assert {each.state for each in found} == {State.RIGHT}


@pytest.mark.parametrize(
    ("off", "words"),
    [
        ("Aurora", "AWS Backup in us-east-1 leaves out Aurora"),
        ("managed", "does not manage DynamoDB, so copies to the other region fail"),
    ],
)
def test_a_region_without_the_opt_in_for_backups_is_wrong(off: str, words: str) -> None:
    found = services.backups(Region(off=off), "us-east-1")

    assert found.state is State.WRONG
    assert words in found.what
    assert "aws backup update-region-settings --region us-east-1" in found.remedy
