"""The three real programs, registered without any AWS."""

from typing import Any

import pytest

from localaws.provider.resources import TABLE
from tests.programs.profiles import registered


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [dict(row) for row in registered("dev")]


def test_every_resource_of_the_real_programs_is_in_the_table(rows: list[dict[str, Any]]) -> None:
    types = {row["type"] for row in rows if row["type"].partition(":")[0] in ("aws", "random", "tls")}

    assert len(types) > 40
    assert types <= TABLE.keys()


def test_no_secret_of_the_real_programs_is_in_the_graph(rows: list[dict[str, Any]]) -> None:
    secrets = [row for row in rows if row["type"] == "random:index/randomPassword:RandomPassword"]

    assert secrets
    assert all(row["outputs"]["result"] == "[secret]" for row in secrets)
    assert "PRIVATE KEY" not in str(rows)
    assert "privateKeyPem of" not in str(rows)
