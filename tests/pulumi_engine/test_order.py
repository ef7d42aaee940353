"""The regions deployed one after the other, the secondary first: neither of them needs the other one."""

import pytest

from tests.local.embedded import EAST_1, EAST_2
from tests.matrix import inventory, leftovers
from tests.pulumi_engine import reports
from tests.pulumi_engine.conftest import Environment

pytestmark = pytest.mark.nightly


def test_the_secondary_region_can_be_deployed_first(local: Environment) -> None:
    before = inventory.take(local.aws.client, (EAST_1, EAST_2))

    deployed = [local.dr("deploy", stack, "--yes") for stack in ("secondary", "primary", "global")]

    assert [reports.kinds(each) for each in deployed] == [
        {stack: {"create"}} for stack in ("secondary", "primary", "global")
    ]
    assert reports.kinds(local.dr("preview")) == reports.all_with("unchanged")
    assert all(local.outputs().values())

    assert "nothing of dev is left" in local.dr("destroy", "--yes")
    new = inventory.difference(before, inventory.take(local.aws.client, (EAST_1, EAST_2)))
    assert leftovers.unknown(local.aws.client, new) == {}
