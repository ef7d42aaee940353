"""The contract between the stacks."""

from pathlib import Path
from typing import Any

import pytest

from shared.functions import FUNCTIONS
from shared.outputs import OutputsError, PlainRegionOutputs, RegionOutputs


def whole(**changes: Any) -> dict[str, Any]:
    """Every output by its own dotted name; `changes` are by the last part of it."""
    return RegionOutputs.build(lambda path: changes.get(path[-1], ".".join(path))).to_plain()


def test_outputs_are_read_back_by_the_names_of_the_contract() -> None:
    assert PlainRegionOutputs.from_plain(whole() | {"something_newer": "x"}).ingress.nlb_arn == "ingress.nlb_arn"


def test_an_empty_text_is_an_output() -> None:
    assert PlainRegionOutputs.from_plain(whole(certificate_pem="")).ingress.certificate_pem == ""


def test_a_half_deployed_stack_is_refused_with_what_it_lacks() -> None:
    half = whole(api_url=None) | {"storage": None}

    with pytest.raises(
        OutputsError,
        match=r"lacks ingress.api_url, storage.data_key_arn, .*; the stack is half deployed .* deploy it again",
    ):
        PlainRegionOutputs.from_plain(half)


def test_each_function_of_the_catalogue_has_a_name_and_an_arn() -> None:
    functions = PlainRegionOutputs.from_plain(whole()).compute.functions

    assert set(functions) == set(FUNCTIONS)
    assert functions["ledger"].name == "compute.functions.ledger.name"


def test_the_catalogue_names_every_function_of_the_product() -> None:
    folders = {each.parent.name for each in (Path(__file__).resolve().parents[2] / "functions").glob("*/handler.py")}

    assert folders - {"orders_example"} == set(FUNCTIONS) - {"announcer"}, "the announcer's source is the ledger's"
