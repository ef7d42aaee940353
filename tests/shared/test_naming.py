import pytest

from shared.naming import LOAD_BALANCER_LIMIT, Names, shorten
from shared.places import Place

NAMES = Names("dev")
LONGEST = Names("abc-defg-hij")


def test_a_regional_name_is_type_place_suffix() -> None:
    assert NAMES.regional("nlb", Place.PRIMARY) == "nlb-primary-dev"


def test_what_exists_once_has_no_place_in_its_name() -> None:
    assert NAMES.shared("accelerator") == "accelerator-dev"


@pytest.mark.parametrize("kind", ["nlb", "alb"])
def test_the_longest_suffix_still_ends_a_load_balancers_name(kind: str) -> None:
    name = LONGEST.regional(kind, Place.SECONDARY, limit=LOAD_BALANCER_LIMIT)

    assert name.endswith(LONGEST.suffix)
    assert len(name) <= LOAD_BALANCER_LIMIT


def test_the_restore_testing_plan_has_underscores_for_hyphens() -> None:
    assert Names("dr-prod").restore_testing == "restore_dr_prod"


def test_cut_names_stay_different() -> None:
    cut = {shorten(f"{'x' * 70}{end}", 64) for end in ("a", "b")}

    assert len(cut) == 2
    assert all(len(name) == 64 for name in cut)
