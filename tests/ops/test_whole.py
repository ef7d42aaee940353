"""An environment's whole life by the commands a person types, on the embedded AWS: deployed, failed over by hand,
failed back, destroyed; and the account is then as it was before.

The stand-in for `pulumi` hands each call to the runner of stack programs.
"""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws import launch
from localaws.core.environment import ACCOUNT
from localaws.engine import DeployError, State, deploy, destroy
from shared.pulumi_cli import STACKS
from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually
from tests.matrix import inventory, leftovers
from tests.ops.conftest import Ops
from tests.ops.stand_in import Answer, Call, PulumiStandIn
from tests.tiers import starts

ENVIRONMENT = "dev"
SPEED = 5.0


class Engine:
    """The work of the Pulumi CLI, done by the runner: one stack at a time, since programs share this process."""

    def __init__(self, pulumi: PulumiStandIn, endpoint: str) -> None:
        self._pulumi = pulumi
        self._endpoint = endpoint
        self._state = State()
        self._lock = threading.Lock()

    def answer(self, call: Call) -> Answer | None:
        if call.verb not in ("up", "destroy"):
            return None
        try:
            self._carry_out(call)
        except DeployError as error:
            return Answer(err=f"error: {error}\n", status=255)
        return Answer(out=f"{call.verb} of {call.stack} is done\n")

    def _carry_out(self, call: Call) -> None:
        with self._lock:
            if call.verb == "up":
                done = deploy(ENVIRONMENT, self._endpoint, [STACKS / call.stack], state=self._state)
                self._pulumi.outputs[call.stack] = json.loads(json.dumps(done.outputs[call.stack]))
            else:
                destroy(ENVIRONMENT, self._endpoint, [STACKS / call.stack], state=self._state)
                self._pulumi.outputs.pop(call.stack, None)


@pytest.fixture
@starts("stack")
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAws]:
    """An account on the embedded AWS that every command of this process finds."""
    for variable in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    with launch.start(log_file=tmp_path / "server.log", speed=SPEED) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        yield LocalAws(server)


def test_from_the_first_deployment_to_nothing_left(account: LocalAws, pulumi: PulumiStandIn, ops: Ops) -> None:
    before = inventory.take(account.client, (EAST_1, EAST_2))
    pulumi.answer = Engine(pulumi, account.server.endpoint).answer

    deployed = ops("deploy", "--env", ENVIRONMENT, typed=f"{ENVIRONMENT}\n")
    assert deployed.exit_code == 0, deployed.output

    def unwell() -> list[str]:
        balancers = [each for each in account.status()["targets"] if each["load_balancer"].startswith("nlb-")]
        assert len(balancers) == 2
        return [f"{each['region']} {each['reason']}" for each in balancers if each["state"] != "healthy"]

    assert eventually(lambda: not unwell(), within=600), unwell()
    left = ops("failover", "--env", ENVIRONMENT, "--region", EAST_1, "--mode", "planned", typed=f"{ENVIRONMENT}\n")
    print(left.output)
    assert left.exit_code == 0, left.output
    assert f"{EAST_1} (primary) is fenced, {EAST_2} (secondary) takes over" in left.output
    assert "Switch: switches the database writer over" in left.output
    assert "writer change" in left.output

    refused = ops("destroy", "--env", ENVIRONMENT, "--yes")
    assert refused.exit_code == 1, refused.output
    assert f"writer is in {EAST_2}, not in the primary region {EAST_1}" in refused.output
    assert "make failback ENV=dev, then destroy" in refused.output

    for region in (EAST_1, EAST_2):
        key = {"pk": {"S": f"region#{EAST_2}"}}
        fence = {"state": {"S": "fenced"}, "epoch": {"N": "1"}}
        account.client("dynamodb", region).put_item(TableName="table-journal-dev", Item={**key, **fence})
    unfenced = ops("unfence", "--env", ENVIRONMENT, "--yes")
    assert unfenced.exit_code == 0, unfenced.output
    assert f"{EAST_2} is active, epoch 2" in unfenced.output

    back = ops("failback", "--env", ENVIRONMENT, "--yes")
    print(back.output)
    assert back.exit_code == 0, back.output

    for region in (EAST_1, EAST_2):
        account.client("ssm", region).put_parameter(Name="/app/dev/feature/late", Value="on", Type="String")
    gone = ops("destroy", "--env", ENVIRONMENT, "--timeout", "20", typed=f"{ENVIRONMENT}\n")
    assert gone.exit_code == 0, gone.output
    assert "deleted parameter /app/dev/feature/late in us-east-2" in gone.output
    assert "nothing of dev is left" in gone.output

    after = inventory.take(account.client, (EAST_1, EAST_2))
    assert leftovers.unknown(account.client, inventory.difference(before, after)) == {}
    assert inventory.difference(after, before) == {}
