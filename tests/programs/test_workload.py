"""Another workload in the place of `payments`: what changes in the registered graph, and what does not."""

import json
from typing import Any

import pytest

from localaws.engine import graph
from shared.local_aws import PROGRAMS
from shared.setting_values import FUNCTIONS, WORKLOAD_FILES
from shared.settings import RegionSettings, SettingsError, load

Row = dict[str, Any]
EXAMPLE = "orders_example"
FUNCTION = "aws:lambda/function:Function"


@pytest.fixture(scope="module")
def theirs() -> list[Row]:
    """The primary stack with another workload."""
    return graph("dev", PROGRAMS[:1], config_overrides={"primary": {"workload:source": EXAMPLE}})


def functions(rows: list[Row]) -> dict[str, str]:
    """Handlers by the function's name."""
    return {row["inputs"]["name"]: row["inputs"]["handler"] for row in rows if row["type"] == FUNCTION}


def test_the_workload_is_another_handler_under_the_same_name(rows: list[Row], theirs: list[Row]) -> None:
    ours = [row for row in rows if row["stack"] == "primary"]

    changed = {name for name, handler in functions(theirs).items() if functions(ours)[name] != handler}
    assert changed == {"function-payments-primary-dev"}
    assert functions(theirs)["function-payments-primary-dev"] == f"{EXAMPLE}.handler.handler"
    assert functions(ours).keys() == functions(theirs).keys()
    # Endpoints, alarms, roles and state machines refer to it by its name.
    assert {(row["type"], row["name"]) for row in ours} - {(row["type"], row["name"]) for row in theirs} == set()


def test_the_api_is_the_workloads_own(theirs: list[Row]) -> None:
    (api,) = [row for row in theirs if row["type"] == "aws:apigateway/restApi:RestApi"]

    assert set(json.loads(api["inputs"]["body"])["paths"]) == {"/orders", "/health"}


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("../payments", "named by lower-case letters"),
        ("ledger", "the product's own"),
        ("invoices", "functions/invoices has no handler.py and no openapi.json"),
    ],
)
def test_a_folder_that_holds_no_workload_is_refused_before_the_first_resource(folder: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        load(RegionSettings, {"workload:source": folder}, stack="dev")

    assert f"workload:source is {folder}; " in str(refused.value)


def test_what_is_not_a_workload_cannot_be_taken_for_one() -> None:
    """A new function of the product's own has to be put among those that are refused."""
    taken = []
    for folder in sorted(path.name for path in FUNCTIONS.iterdir() if (path / "handler.py").is_file()):
        try:
            taken.append(load(RegionSettings, {"workload:source": folder}, stack="dev").workload)
        except SettingsError:
            continue

    assert taken == [EXAMPLE, "payments"]
    assert all((FUNCTIONS / each / file).is_file() for each in taken for file in WORKLOAD_FILES)
