"""The registered graph of the three programs, without any AWS."""

from typing import Any

import pytest

from tests.programs.profiles import registered

Row = dict[str, Any]


@pytest.fixture(scope="session")
def rows() -> list[Row]:
    return [dict(row) for row in registered("dev")]


@pytest.fixture(scope="session")
def aws_rows(rows: list[Row]) -> list[Row]:
    found = [row for row in rows if row["type"].startswith("aws:")]
    assert found, "the programs registered nothing"
    return found
