"""Bad settings are refused before the first resource, with the key, the value and the remedy."""

import pytest
from botocore.session import Session
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend

from shared.places import Place
from shared.settings import GlobalSettings, RegionSettings, SettingsError, load
from shared.zones import BY_ACCOUNT, zone_names


def refusal(config: dict[str, str], model: type[RegionSettings] | type[GlobalSettings] = RegionSettings) -> str:
    with pytest.raises(SettingsError) as caught:
        load(model, config, stack="dev")
    return str(caught.value)


def test_an_environment_needs_no_settings_at_all() -> None:
    settings = load(RegionSettings, {}, stack="dev")

    assert (settings.suffix, settings.environment) == ("dev", "dev")
    assert settings.region(Place.PRIMARY) == "us-east-1"
    assert settings.service_name == "pay.dr-dev.internal"


def test_overlapping_blocks_are_refused_with_both_keys() -> None:
    message = refusal({"network:primaryCidr": "10.0.0.0/16", "network:secondaryCidr": "10.0.128.0/20"})

    assert "network:secondaryCidr is 10.0.128.0/20" in message
    assert "overlaps network:primaryCidr 10.0.0.0/16" in message
    assert "10.1.0.0/16" in message, "the remedy gives an example"
    assert "Pulumi.dev.yaml" in message


def test_an_unknown_region_is_refused() -> None:
    message = refusal({"dr:secondaryRegion": "us-east-9"})

    assert message.startswith("dr:secondaryRegion is us-east-9; it is not a region of AWS; use one such as us-east-1")


def test_the_same_region_twice_is_refused() -> None:
    message = refusal({"dr:primaryRegion": "us-east-2"})

    assert "dr:secondaryRegion is us-east-2, the same as dr:primaryRegion; choose another region" in message


@pytest.mark.parametrize("suffix", ["", "Dev", "1st", "a", "-dev", "dev-", "d--r", "d_r", "much-too-long"])
def test_a_suffix_that_would_not_fit_every_name_is_refused(suffix: str) -> None:
    message = refusal({"dr:suffix": suffix})

    assert message.startswith(f"dr:suffix is {suffix}; 2 to 12 lower-case letters and digits")


@pytest.mark.parametrize("suffix", ["dr-prod", "dr-prod-long", "secondaryx"])
def test_hyphens_may_stand_inside_a_suffix(suffix: str) -> None:
    assert load(RegionSettings, {"dr:suffix": suffix}, stack="dev").suffix == suffix


@pytest.mark.parametrize("suffix", ["x-primary", "secondary", "a-primary-b"])
def test_a_suffix_with_a_places_name_in_it_is_refused(suffix: str) -> None:
    """A sweep of environment `b` would take `a-primary-b`'s log groups for its own."""
    assert "is the name of a place" in refusal({"dr:suffix": suffix})


@pytest.mark.parametrize("cidr", ["10.0.0.0/24", "8.8.0.0/16", "10.0.0.1/16", "fd00::/16", "ten"])
def test_a_block_that_cannot_hold_a_vpc_is_refused(cidr: str) -> None:
    assert f"network:primaryCidr is {cidr}; " in refusal({"network:primaryCidr": cidr})


def test_every_problem_is_named_at_once() -> None:
    lines = refusal({"network:zones": "4", "nlb:healthInterval": "1", "network:nat": "two"}).splitlines()

    assert [line.split(" is ")[0] for line in lines] == ["network:zones", "network:nat", "nlb:healthInterval"]


def test_a_misspelt_key_is_refused_rather_than_ignored() -> None:
    assert "network:zone is not a setting of any stack; check its spelling" in refusal({"network:zone": "2"})


def test_settings_of_another_stack_and_of_pulumi_are_passed_over() -> None:
    settings = load(
        RegionSettings, {"traffic:mode": "active-active", "aws:region": "x", "logs:retentionDays": "7"}, stack="dev"
    )

    assert settings.log_retention_days == 7


def test_capacity_must_be_a_range() -> None:
    message = refusal({"database:minCapacity": "8", "database:maxCapacity": "2"}, GlobalSettings)

    assert "database:maxCapacity is 2, below database:minCapacity 8; raise it" in message


def test_an_existing_zone_needs_its_name() -> None:
    assert "dns:zoneName" in refusal({"dns:createZone": "false"}, GlobalSettings)


def test_health_checks_come_every_10_or_30_seconds_only() -> None:
    # Route 53 knows no other interval [R53-5].
    assert "dns:healthCheckInterval is 20; choose one of 10, 30" in refusal(
        {"dns:healthCheckInterval": "20"}, GlobalSettings
    )


def test_zones_are_those_that_every_account_has_in_the_region() -> None:
    settings = load(RegionSettings, {"dr:secondaryRegion": "ap-northeast-1", "network:zones": "2"}, stack="dev")

    assert settings.zone_names(Place.PRIMARY) == ["us-east-1a", "us-east-1b"]
    assert settings.zone_names(Place.SECONDARY) == ["ap-northeast-1a", "ap-northeast-1c"]


LISTED = RegionsAndZonesBackend.zones  # moto's list of the zones of every region


@pytest.mark.parametrize("region", sorted({*Session().get_available_regions("ec2")} & LISTED.keys() - BY_ACCOUNT))
def test_every_region_has_the_zones_that_are_used_there(region: str) -> None:
    assert set(zone_names(region, 3)) <= {zone.name for zone in LISTED[region]}


def test_letters_of_zones_can_be_given() -> None:
    settings = load(RegionSettings, {"network:primaryZones": "bdf"}, stack="dev")

    assert settings.zone_names(Place.PRIMARY) == ["us-east-1b", "us-east-1d", "us-east-1f"]


def test_a_region_whose_zones_differ_by_account_needs_their_letters() -> None:
    message = refusal({"dr:primaryRegion": "us-west-1", "network:zones": "2"})

    assert "dr:primaryRegion is us-west-1, whose zones have other letters in each account" in message
    assert "set network:primaryZones to yours, such as ac" in message
    load(
        RegionSettings,
        {"dr:primaryRegion": "us-west-1", "network:zones": "2", "network:primaryZones": "ac"},
        stack="dev",
    )


@pytest.mark.parametrize("letters", ["a", "aa", "A,B", "12"])
def test_letters_that_name_no_zones_are_refused(letters: str) -> None:
    assert f"network:primaryZones is {letters}; two or more different letters" in refusal(
        {"network:primaryZones": letters}
    )


def test_fewer_letters_than_zones_are_refused() -> None:
    assert "network:secondaryZones names 2 zones, but network:zones is 3; change one" in refusal(
        {"network:secondaryZones": "ab"}
    )
