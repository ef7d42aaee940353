"""One embedded AWS on which all combinations are deployed, one after the other."""

from collections.abc import Iterator

import pytest

from localaws import launch
from tests.local.embedded import EAST_1, EAST_2, LocalAws
from tests.matrix.account import Account
from tests.tiers import starts

DOMAIN = "dr.example.com"

# AWS seconds in one of ours: an accelerator deploys for two of them.
SPEED = 20.0


@pytest.fixture(scope="module")
@starts("emulator")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account with a public hosted zone, on the control plane only: no combination sends traffic or queries a
    database, and the health probes of 48 combinations would take longer than all deployments."""
    log_file = tmp_path_factory.mktemp("matrix") / "server.log"
    with launch.start(log_file=log_file, speed=SPEED, profile="control-plane") as server:
        aws = LocalAws(server)
        zone = aws.client("route53").create_hosted_zone(Name=DOMAIN, CallerReference="matrix")["HostedZone"]["Id"]
        yield Account(aws, (EAST_1, EAST_2), zone.rpartition("/")[2])
