"""AWS hours in which no region posts, on the real functions and state machines without the traffic around them: nothing
is missing from the ledger afterwards. The clock is so fast that health checks would not stand it; there are none here.
"""

import functools
import itertools
import re
import uuid
from collections.abc import Callable, Iterator

import pytest

from tests.local.embedded import EAST_1, EAST_2, LocalAws, eventually
from tests.local.recovery_deployment import recovery_world
from tests.local.recovery_world import RecoveryWorld
from tests.tiers import starts

pytestmark = pytest.mark.nightly
SPEED = 120.0  # an AWS hour in half a minute
HOUR = 3600.0
WITHIN = 900.0  # seconds, for what takes AWS hours or is slow on a busy machine


@pytest.fixture
@starts("stack")
def world(planes: LocalAws) -> Iterator[RecoveryWorld]:
    with recovery_world(planes, f"test-{uuid.uuid4().hex[:8]}", SPEED) as made:
        yield made


def approval_token(world: RecoveryWorld, execution: str) -> str:
    """Of the question that operators in the surviving region get; earlier ones may be delivered again."""
    asked: list[str] = eventually(
        lambda: [
            message["approve"]
            for subject, message in world.reported(EAST_2)
            if subject.startswith("Approval needed") and message["execution"] == execution
        ],
        within=WITHIN,
    )
    found = re.search(r"--task-token '([^']+)'", asked[0])
    assert found, asked
    return found[1]


def expired_once(world: RecoveryWorld, meanwhile: Callable[[], None]) -> None:
    """A failover whose approval nobody answers for four AWS hours, then one that is approved."""
    first = world.start("asking", EAST_2, {"region": EAST_1})
    assert approval_token(world, first)
    while world.status(first) == "RUNNING":
        meanwhile()
    assert (world.end(first)["status"], world.end(first)["error"]) == ("FAILED", "States.Timeout")
    second = world.start("asking", EAST_2, {"region": EAST_1})
    token = approval_token(world, second)
    world.aws.client("stepfunctions", EAST_2).send_task_success(taskToken=token, output="{}")
    ended = world.end(second, within=WITHIN)
    assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))


def lost_while_paying(world: RecoveryWorld) -> tuple[set[str], Callable[[], None]]:
    """The primary region is lost; the ids of accepted payments, and what makes another one."""
    paid, numbers = set[str](), itertools.count(1)

    def pay(region: str) -> None:
        payment_id = f"hours-{next(numbers):04}"
        assert world.pay(region, payment_id) in (201, 202)
        paid.add(payment_id)

    pay(EAST_1)
    assert eventually(lambda: paid <= world.ledger(EAST_1), within=WITHIN), "the ledger works"
    world.lose(EAST_1)

    def pay_soon() -> None:
        pay(EAST_2)
        world.pass_time(HOUR / 12)

    return paid, pay_soon


def test_an_approval_that_expires_leaves_nothing_missing(world: RecoveryWorld) -> None:
    paid, pay = lost_while_paying(world)

    expired_once(world, pay)

    assert len(paid) > 10, "four AWS hours"
    assert eventually(lambda: paid <= world.ledger(EAST_2), within=WITHIN), sorted(paid - world.ledger(EAST_2))


def test_without_its_old_batches_a_failover_leaves_payments_missing(world: RecoveryWorld) -> None:
    """So that the test before this one would notice a replay that begins at a fixed time before its request."""
    paid, pay = lost_while_paying(world)

    def pay_and_forget() -> None:
        pay()
        world.forget_backlog(EAST_2, older_than=HOUR)

    expired_once(world, pay_and_forget)

    assert paid - world.ledger(EAST_2)


def fenced_everywhere(world: RecoveryWorld) -> bool:
    regions = (EAST_1, EAST_2)
    return {world.control(at, f"region#{each}").get("state") for at in regions for each in regions} == {"fenced"}


def test_both_regions_fenced_for_a_day_leave_nothing_missing_but_what_the_backlogs_forget(world: RecoveryWorld) -> None:
    """Longer than a stream keeps its records, 24 AWS hours: only the backlogs hold them then."""
    day, numbers, paid = 24 * HOUR, itertools.count(1), set[str]()

    def pay() -> str:
        payment_id = f"fenced-{next(numbers):04}"
        assert world.pay(EAST_1, payment_id) in (201, 202)
        paid.add(payment_id)
        return payment_id

    pay()
    assert eventually(lambda: paid <= world.ledger(EAST_1), within=WITHIN), "the ledger works"
    for region in (EAST_1, EAST_2):
        item = {"pk": {"S": f"region#{region}"}, "state": {"S": "fenced"}, "epoch": {"N": "1"}}
        world.aws.client("dynamodb", EAST_1).put_item(TableName=world.name, Item=item)
    assert eventually(lambda: fenced_everywhere(world), within=WITHIN)
    world.pass_time(HOUR / 4)  # a ledger may act on an earlier observation for seconds
    forgotten = pay()
    for region in (EAST_1, EAST_2):  # recorded once the batch is not given back to the stream any more
        assert eventually(functools.partial(world.forget_backlog, region, older_than=0), within=WITHIN)
    for _ in range(12):
        pay()
        world.pass_time(day / 12)
    assert len(paid - world.ledger(EAST_1)) == 13, "nobody posts"

    # As `dr unfence` does.
    world.invoke("recovery", EAST_1, {"operation": "unfence", "region": EAST_1, "epoch": 1, "by": "test"})
    assert eventually(lambda: world.replays(EAST_1), within=WITHIN), "the ledger may post again"

    assert paid - world.ledger(EAST_1) == {forgotten}


def is_active(world: RecoveryWorld) -> bool:
    return world.control(EAST_1, f"region#{EAST_1}")["state"] == "active"


def test_a_failback_stopped_during_its_switchover_continues_three_hours_later(world: RecoveryWorld) -> None:
    paid, pay = lost_while_paying(world)
    assert world.run("failover", EAST_2, {"region": EAST_1})["status"] == "SUCCEEDED"
    world.heal(EAST_1)
    assert eventually(lambda: world.control(EAST_1, f"region#{EAST_1}").get("state") == "fenced")
    assert eventually(lambda: world.synchronization() == {"connected"}, within=WITHIN), "the old writer, made anew"
    first = world.start("failback", EAST_2, {"region": EAST_1})
    assert eventually(lambda: "Switch" in world.steps(first), within=WITHIN), world.end(first)
    world.aws.client("stepfunctions", EAST_2).stop_execution(executionArn=first)
    assert eventually(lambda: world.writer() == EAST_1, within=WITHIN), "the switchover ends by itself"
    for _ in range(36):
        pay()

    second = world.start("failback", EAST_2, {"region": EAST_1})
    assert eventually(lambda: is_active(world) or world.status(second) != "RUNNING", within=WITHIN)
    assert is_active(world), world.end(second)["cause"]
    world.open(EAST_1)
    ended = world.end(second, within=WITHIN)

    assert ended["status"] == "SUCCEEDED", (ended.get("error"), ended.get("cause"))
    assert eventually(lambda: paid <= world.ledger(EAST_1), within=WITHIN), sorted(paid - world.ledger(EAST_1))
