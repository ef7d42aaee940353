"""The contract between the stacks."""

from dataclasses import fields

import pytest

from shared.outputs import OutputsError, PlainRegionOutputs, RegionOutputs

WHOLE = {field.name: field.name for field in fields(RegionOutputs)}


def test_outputs_are_read_back_by_the_names_of_the_contract() -> None:
    assert PlainRegionOutputs.from_plain(WHOLE | {"something_newer": "x"}).nlb_arn == "nlb_arn"


def test_an_empty_text_is_an_output() -> None:
    assert PlainRegionOutputs.from_plain(WHOLE | {"certificate_pem": ""}).certificate_pem == ""


def test_a_half_deployed_stack_is_refused_with_what_it_lacks() -> None:
    half = {name: value for name, value in WHOLE.items() if name not in ("api_url", "nlb_arn")}

    with pytest.raises(OutputsError, match=r"lacks nlb_arn, api_url; the stack is half deployed .* deploy it again"):
        PlainRegionOutputs.from_plain(half)
