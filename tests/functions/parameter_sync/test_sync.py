"""One parameter, made equal in both regions: what wins, what is kept, and that it ends."""

import pytest
from parameter_sync.errors import NotCopyable, RetryAfter
from parameter_sync.merge import LostChange
from parameter_sync.sync import Action

from tests.functions.harness import EAST_1, EAST_2
from tests.functions.parameter_sync.world import World

NAME = "/app/dev/flag"
POLICY = '[{"Type": "NoChangeNotification", "Version": "1.0", "Attributes": {"After": "20", "Unit": "Days"}}]'


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("made_in", [EAST_1, EAST_2])
@pytest.mark.parametrize("synchronized_from", [EAST_1, EAST_2])
def test_a_change_in_either_region_reaches_the_other_and_the_copy_comes_back_as_nothing(
    world: World, made_in: str, synchronized_from: str
) -> None:
    world.put(made_in, NAME, "one", Description="a flag")

    made = world.synchronize(NAME, synchronized_from)
    echoes = [world.synchronize(NAME, region) for region in (EAST_1, EAST_2)]

    assert (made.action, made.source) == (Action.COPIED, made_in)
    assert world.east1.shown() == world.east2.shown() != {}
    assert [echo.action for echo in echoes] == [Action.NOTHING, Action.NOTHING]
    assert world.writes() == 1


def test_everything_a_parameter_has_is_copied(world: World) -> None:
    everything = {"Description": "d", "AllowedPattern": "^a", "Type": "StringList", "Tier": "Advanced"}
    world.put(EAST_1, NAME, "a,b", **everything)
    world.east1.versions[NAME][-1]["Policies"] = [{"PolicyText": POLICY[1:-1]}]
    world.tag(EAST_1, NAME, Owner="me", Place="primary")
    world.label(EAST_1, NAME, "live")

    put = []
    world.east2.before = lambda operation: put.append(operation)
    world.synchronize(NAME)

    copy = world.east2.versions[NAME][-1]
    assert {key: copy[key] for key in everything} == everything
    assert world.east2.tags[NAME]["Owner"] == "me"
    assert world.east2.tags[NAME]["Place"] == "secondary", "the tag Place is each region's own (R1)"
    assert copy["Labels"] == ["live"]


def test_a_secure_string_is_encrypted_with_the_receiving_regions_key(world: World) -> None:
    world.put(EAST_1, NAME, "s3cret", Type="SecureString", KeyId="alias/of-someone")

    world.synchronize(NAME)

    assert (world.east2.value(NAME), world.east2.versions[NAME][-1]["KeyId"]) == ("s3cret", "alias/key-data-dev")


def test_changes_in_turns_go_back_and_forth_without_a_conflict(world: World) -> None:
    for turn in range(6):
        region = (EAST_1, EAST_2)[turn % 2]
        world.put(region, NAME, f"value {turn}")
        assert world.synchronize(NAME, region).lost is None

    assert (world.east1.value(NAME), world.east2.value(NAME)) == ("value 5", "value 5")
    assert world.writes() == 6


def test_a_change_that_followed_the_other_wins_against_a_clock_that_is_behind() -> None:
    world = World(skew=-60_000)
    world.put(EAST_1, NAME, "first")
    world.synchronize(NAME)

    world.put(EAST_2, NAME, "second")  # a minute before the first one, by its region's clock
    outcome = world.synchronize(NAME)

    assert (world.east1.value(NAME), outcome.lost) == ("second", None)


@pytest.mark.parametrize("synchronized_from", [EAST_1, EAST_2])
def test_of_two_changes_that_were_concurrent_the_later_wins_and_the_other_is_in_history(
    world: World, synchronized_from: str
) -> None:
    world.put(EAST_1, NAME, "common")
    world.synchronize(NAME)
    world.put(EAST_2, NAME, "earlier")
    world.put(EAST_1, NAME, "later")

    outcome = world.synchronize(NAME, synchronized_from)

    assert (world.east1.value(NAME), world.east2.value(NAME)) == ("later", "later")
    assert outcome.lost == LostChange(region=EAST_2, version=2)
    assert world.east2.versions[NAME][1]["Value"] == "earlier"
    assert world.synchronize(NAME).action is Action.NOTHING


def test_the_same_instant_is_decided_alike_by_both(world: World) -> None:
    seen = set()
    for synchronized_from in (EAST_1, EAST_2):
        world = World()
        world.put(EAST_1, NAME, "of east 1")
        world.time -= 1000
        world.put(EAST_2, NAME, "of east 2")
        world.synchronize(NAME, synchronized_from)
        seen.add((world.east1.value(NAME), world.east2.value(NAME)))

    assert len(seen) == 1
    assert len(set(seen.pop())) == 1


@pytest.mark.parametrize("deleted_in", [EAST_1, EAST_2])
def test_a_deletion_reaches_the_other_region_whichever_region_created_it(world: World, deleted_in: str) -> None:
    world.put(EAST_1, NAME, "one")
    world.synchronize(NAME)
    world.delete(deleted_in, NAME)

    outcome = world.synchronize(NAME)

    assert outcome.action is Action.DELETED
    assert world.east1.shown() == world.east2.shown() == {}
    assert world.synchronize(NAME).action is Action.NOTHING


def test_a_new_parameter_is_not_taken_for_one_that_was_deleted_on_the_other_side(world: World) -> None:
    world.put(EAST_2, NAME, "new")

    assert world.synchronize(NAME).action is Action.COPIED


def test_a_change_beats_a_deletion_that_was_concurrent(world: World) -> None:
    world.put(EAST_1, NAME, "one")
    world.synchronize(NAME)
    world.delete(EAST_1, NAME)
    world.put(EAST_2, NAME, "two")

    outcome = world.synchronize(NAME)

    assert outcome.revived
    assert (world.east1.value(NAME), world.east2.value(NAME)) == ("two", "two")


def test_a_parameter_deleted_and_made_again_is_the_new_one(world: World) -> None:
    for value in ("one", "two", "three"):
        world.put(EAST_1, NAME, value)
        world.synchronize(NAME)
    world.delete(EAST_1, NAME)
    world.put(EAST_1, NAME, "anew")

    assert world.synchronize(NAME).lost is None
    assert world.east2.value(NAME) == "anew"


def test_nothing_is_deleted_by_a_read_just_after_the_copy() -> None:
    world = World(settling_seconds=30)
    world.put(EAST_1, NAME, "one")
    world.synchronize(NAME)
    world.delete(EAST_2, NAME)

    with pytest.raises(RetryAfter):
        world.synchronize(NAME)
    world.pass_time(31)

    assert world.synchronize(NAME).action is Action.DELETED


def test_another_type_is_created_again_since_none_can_be_changed(world: World) -> None:
    world.put(EAST_1, NAME, "one")
    world.synchronize(NAME)
    world.delete(EAST_1, NAME)
    world.put(EAST_1, NAME, "one", Type="SecureString")

    with pytest.raises(RetryAfter):
        world.synchronize(NAME)
    assert world.east1.value(NAME) == "one", "what is right stays while the copy is made anew"

    assert world.synchronize(NAME).action is Action.COPIED
    assert world.east2.versions[NAME][-1]["Type"] == "SecureString"


def test_tags_that_changed_on_one_side_win_whichever_side_has_the_newer_value(world: World) -> None:
    world.put(EAST_1, NAME, "one")
    world.tag(EAST_1, NAME, Owner="me", Team="a")
    world.synchronize(NAME)
    world.put(EAST_1, NAME, "two")
    world.tag(EAST_2, NAME, Owner="you")
    world.east2.as_person("remove_tags_from_resource", ResourceType="Parameter", ResourceId=NAME, TagKeys=["Team"])

    world.synchronize(NAME)

    assert world.east1.shown() == world.east2.shown()
    assert world.east1.shown()[NAME][1] == {"Owner": "you"}
    assert world.east1.value(NAME) == "two"


def test_a_label_is_put_on_and_taken_off_in_the_other_region(world: World) -> None:
    world.put(EAST_1, NAME, "one")
    world.synchronize(NAME)
    world.label(EAST_2, NAME, "live")
    world.synchronize(NAME)
    labelled = [world.east1.versions[NAME][-1]["Labels"], world.east2.versions[NAME][-1]["Labels"]]
    world.east1.as_person("unlabel_parameter_version", Name=NAME, ParameterVersion=1, Labels=["live"])
    world.synchronize(NAME)

    assert labelled == [["live"], ["live"]]
    assert world.east2.versions[NAME][-1]["Labels"] == []
    assert world.writes() == 1


def test_what_is_taken_away_is_taken_away_there_too(world: World) -> None:
    world.put(EAST_1, NAME, "abc", AllowedPattern="^a", Description="d")
    world.synchronize(NAME)
    world.put(EAST_1, NAME, "abc", AllowedPattern="", Description="")

    world.synchronize(NAME)

    assert world.east1.shown() == world.east2.shown()
    assert world.east2.versions[NAME][-1]["AllowedPattern"] == ""


def test_an_advanced_copy_of_a_standard_parameter_is_well(world: World) -> None:
    world.put(EAST_1, NAME, "one", Tier="Advanced")
    world.synchronize(NAME)
    world.delete(EAST_1, NAME)
    world.put(EAST_1, NAME, "one", Tier="Standard")

    world.synchronize(NAME)

    assert world.writes() == 1, "an advanced parameter cannot become a standard one"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"Value": "x" * 8193, "Tier": "Advanced"}, "8193 bytes"),
        ({"Value": "ami-1", "DataType": "aws:ec2:image"}, "aws:ec2:image"),
    ],
)
def test_what_cannot_be_copied_is_refused_with_its_reason(world: World, given: dict[str, str], reason: str) -> None:
    world.put(EAST_1, NAME, given.pop("Value"), **given)

    with pytest.raises(NotCopyable, match=reason):
        world.synchronize(NAME)


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidKeyId", "ParameterMaxVersionLimitExceeded"])
def test_a_refusal_of_aws_is_named_by_its_code_and_never_quoted(world: World, code: str) -> None:
    world.put(EAST_1, NAME, "s3cret", Type="SecureString")
    world.east2.refusals["put_parameter", NAME] = code

    with pytest.raises(NotCopyable, match=f"put_parameter in us-east-2: {code}") as refused:
        world.synchronize(NAME)
    assert "secret-in-a-message" not in str(refused.value)
    assert refused.value.__cause__ is None
