"""The recovery in a report: its moments, workflows and databases, and the lanes that show them."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from drill.model.attempts import Attempt, Outcome
from drill.model.expectation import HealthSettings
from drill.model.status import DatabaseStatus, Status, WriterInterval
from drill.observe.progress import FaultPeriod, Progress
from drill.observe.workflow_runs import RunStep, WorkflowRun
from drill.report import markdown
from drill.report.budget import link_reports
from drill.report.charts import recovery_lanes
from drill.report.html import render
from drill.report.model import MomentReport
from drill.report.recovery import database_report, moment_reports, workflow_reports
from drill.verdict.result import Limits, promoted_at
from drill.verdict.writers import PromotionLoss
from shared.places import Place
from tests.drill.reports import recovered, report
from tests.drill.test_report import parsed

EAST_1, EAST_2 = "us-east-1", "us-east-2"
SETTINGS: Any = SimpleNamespace(speed=5.0)


def text_of(page: str) -> str:
    return " ".join(" ".join(parsed(page).text).split())


def test_the_page_shows_moments_accounts_workflows_decisions_and_calls() -> None:
    page = render(recovered())

    text = text_of(page)
    for phrase in (
        "The failover begins 24.00 s 45.0 s 55 s",
        "Failover begins after 45.0 s",
        "Ledger drained after 94.5 s",
        "Ledger in PostgreSQL in us-east-2 1,799 1",
        "The change of writer lost 31 of the 500 rows",
        "brought back 31",
        "another run is in progress",
        "writer change 45.0 AWS s",
        "us-east-2 act peer lost 1",
        "to Route 53 and to Global Accelerator meanwhile: 0",
    ):
        assert phrase in text


def test_a_moment_after_its_limit_and_a_call_that_was_made_stand_out() -> None:
    late = recovered().moments[1].model_copy(update={"aws_seconds": 55.1})
    calls = recovered().control_calls
    assert calls is not None
    called = calls.model_copy(update={"total": 2, "calls": ["2 x rds DescribeDBClusters in us-east-1 by function"]})

    page = render(recovered(moments=[late], control_calls=called))

    assert 'class="number missed" data-label="AWS time after the loss">55.1 s' in page
    assert '<strong class="missed">2</strong>: 2 x rds DescribeDBClusters' in page


def test_a_report_without_a_recovery_has_no_lanes_and_no_empty_table() -> None:
    page = render(report())

    assert recovery_lanes(report(), width=1040) is None
    for heading in ("How the recovery went", "Payments by record", "Workflows", "What the sentinels decided"):
        assert heading not in page


@pytest.mark.parametrize("width", [1040.0, 400.0])
def test_everything_of_the_lanes_lies_inside_the_frame_and_apart(width: float) -> None:
    lanes = recovery_lanes(recovered(), width=width)

    assert lanes is not None
    assert [lane.label for lane in lanes.lanes] == [
        "faults",
        "failover in us-east-2",
        "database that accepts writes",
        "reader's lag, at most 15.0 AWS s",
    ]
    for above, below in zip(lanes.lanes, lanes.lanes[1:], strict=False):
        assert above.y + above.height < below.y
    assert lanes.lanes[-1].y + lanes.lanes[-1].height < lanes.height
    for lane in lanes.lanes:
        for block in lane.blocks:
            assert lanes.left <= block.x
            assert block.x + block.width <= lanes.right + 3


def test_faults_at_the_same_time_do_not_cover_each_other() -> None:
    (first,) = recovered().faults
    during = first.model_copy(update={"at": 20.0, "ended_at": None})
    before = first.model_copy(update={"at": 6.0, "ended_at": 10.0})

    lanes = recovery_lanes(recovered(faults=[first, during, before]), width=1040)

    assert lanes is not None
    assert [len(lane.blocks) for lane in lanes.lanes[:2]] == [2, 1]


def test_a_lag_is_drawn_only_where_it_was_measured() -> None:
    database = recovered().database
    assert database is not None
    lags = [database.lags[0].model_copy(update={"at": at}) for at in (6.0, 7.0, 8.0, 30.0, 31.0)]

    lanes = recovery_lanes(recovered(database=database.model_copy(update={"lags": lags})), width=1040)

    assert lanes is not None
    assert len(lanes.lanes[-1].areas) == 2


def test_the_writers_lane_shows_no_two_at_once() -> None:
    lanes = recovery_lanes(recovered(), width=1040)
    assert lanes is not None
    first, second = lanes.lanes[2].blocks

    assert first.x + first.width < second.x
    assert (first.style, second.style) == ("place-primary", "place-secondary")


def run(machine: str, begun: float, **moments: float) -> WorkflowRun:
    """A run whose steps were done at these seconds after the start of the drill."""
    at = {name: {"at": datetime.fromtimestamp(seconds, UTC).isoformat()} for name, seconds in moments.items()}
    document: dict[str, Any] = {
        "preconditions": {"met": True, "detected_at": "x"},
        "metrics": {"seconds": {"run": 1.0}},
    } | at
    return WorkflowRun(
        machine=machine, region=EAST_2, name=f"{machine}-1", status="SUCCEEDED", started=begun, ended=begun + 10,
        document=document, steps=(RunStep(name="Guard", entered=begun, left=begun + 1),),
    )  # fmt: skip


def attempt(ended: float, region: str) -> Attempt:
    return Attempt(intent=1, sent=ended - 0.1, seconds=0.1, outcome=Outcome.OK, region=region)


@pytest.fixture
def progress() -> Progress:
    """A drill that began at Unix time 0 and lost us-east-1 after 10 s."""
    made = Progress(title="x", started=0.0, started_at=0.0, regions={Place.PRIMARY: EAST_1, Place.SECONDARY: EAST_2})
    made.faults.append(FaultPeriod(name="lose", region=EAST_1, kind="reset", at=10.0, is_loss=True, ended_at=40.0))
    return made


def found(*answered: Attempt, **changes: Any) -> Any:
    databases = (
        DatabaseStatus(region=EAST_1, role="writer", writer_intervals=(WriterInterval(since=-5, until=10),)),
        DatabaseStatus(region=EAST_2, role="reader", writer_intervals=(WriterInterval(since=32, until=45),)),
    )
    before = attempt(5, EAST_1)
    values: dict[str, Any] = {
        "runs": (
            run("failover", 19, fence=20, change=20.5, writer=33, publish=33.2, replay=34, proof=34.5),
            run("failback", 44, change=45, unfence=52),
        ),
        "status": Status(databases=databases),
        "record": SimpleNamespace(attempts=[before, *answered]),
        "load_started": 1.0,
        "fault_at": 10.0,
        "promoted_at": 32.0,
        "limits": SimpleNamespace(rto_limit_aws_seconds=42.0),
        "promotion_loss": PromotionLoss(had=9, lost=3, brought_back=3),
        "written": (),
        "two_writers": (),
    }
    made = SimpleNamespace(**(values | changes))
    made.took_over = next((run for run in made.runs if run.machine == "failover" and run.went_on), None)
    return made


def test_the_moments_of_a_recovery_are_in_order_and_counted_from_the_loss(progress: Progress) -> None:
    progress.saw(
        Status.model_validate(
            {"targets": [{"region": region, "target_group": "t", "state": "unhealthy"} for region in (EAST_1, EAST_2)]}
        )
    )
    progress.seen = [seen for seen in progress.seen if seen.region == EAST_1]

    moments = moment_reports(SETTINGS, progress, found(attempt(14, EAST_2), attempt(15, EAST_2)))

    named = {each.name: each.aws_seconds for each in moments}
    assert list(named.values()) == sorted(named.values())
    assert named["the region us-east-1 is lost"] == 0
    assert named["the other region answers its first client"] == 20
    assert named["the failover begins"] == 45
    assert named["the lost region is fenced"] == 50
    assert named["the database accepts writes in the other region"] == 110
    assert named["the ledger is drained"] == 120
    assert named["the region us-east-1 is reachable again"] == 150
    assert named["the region is no longer fenced"] == 210


def test_without_a_loss_there_are_no_moments(progress: Progress) -> None:
    progress.faults.clear()

    assert moment_reports(SETTINGS, progress, found()) == []


def test_the_new_writer_is_the_one_that_began_after_it_was_asked_for() -> None:
    assert promoted_at(found()) == 32
    assert promoted_at(found(runs=())) is None
    assert promoted_at(found(status=Status())) is None


def test_the_databases_writers_and_the_rows_that_the_promotion_lost_are_reported(progress: Progress) -> None:
    progress.lags = [(float(number), 1.0) for number in range(1000)]

    made = database_report(progress, found())

    assert made is not None
    assert [(each.region, each.at, each.until) for each in made.writers] == [(EAST_1, 1.0, 10.0), (EAST_2, 32.0, 45.0)]
    assert made.promotion_loss is not None
    assert made.promotion_loss.lost == 3
    assert len(made.lags) <= 200
    assert database_report(progress, found(status=Status())) is None


def test_a_workflows_own_measurements_are_reported(progress: Progress) -> None:
    failover, failback = workflow_reports(progress, found())

    assert (failover.at, failover.seconds, failover.aws_seconds) == (19.0, 10.0, {"run": 1.0})
    assert (failback.machine, failback.held_because) == ("failback", None)


def test_observations_keep_a_change(progress: Progress) -> None:
    def observation(writer: str, lag: float, state: str) -> Status:
        return Status.model_validate(
            {
                "targets": [{"region": EAST_1, "target_group": "t", "state": state}],
                "databases": [
                    {"region": EAST_1, "role": "writer" if writer == EAST_1 else "reader", "running": True},
                    {"region": EAST_2, "role": "writer" if writer == EAST_2 else "reader", "lag_seconds": lag},
                ],
            }
        )

    for seen in (
        observation(EAST_1, 1, "healthy"),
        observation(EAST_1, 2, "healthy"),
        observation(EAST_2, 3, "unhealthy"),
    ):
        progress.saw(seen)

    assert [(each.what, each.region, each.state) for each in progress.seen] == [
        ("targets", EAST_1, "healthy"),
        ("writer", EAST_1, "writes"),
        ("targets", EAST_1, "unhealthy"),
        ("writer", EAST_2, "does not answer"),
    ]
    assert [lag for _, lag in progress.lags] == [1, 2, 3]


def test_the_chain_from_the_loss_is_compared_with_its_budget_link_by_link() -> None:
    limits = Limits(
        health_checks=[
            HealthSettings(region=EAST_1, interval_aws_seconds=10, unhealthy_threshold=2, healthy_threshold=2)
        ],
        speed=5.0,
        nlb_tail_aws_seconds=35.0,
    )
    at = {
        "the region us-east-1 is lost": 0.0,
        "its targets are out of service": 24.0,
        "the other region answers its first client": 60.0,
        "the failover begins": 57.0,
        "the promotion is requested": 58.5,
        "the new writer accepts writes": 119.0,
        "the new writer is published": 120.0,
        "the ledger is drained": 124.0,
    }
    moments = [MomentReport(name=name, at=seconds / 5, aws_seconds=seconds) for name, seconds in at.items()]

    links = {link.name: (link.budget_aws_seconds, link.aws_seconds) for link in link_reports(moments, limits)}

    assert links == {
        "probe and target health": (40.0, 24.0),
        "load balancer tail, accelerator and a client's request": (37.0, 36.0),
        "sentinel's probes, Route 53's witness and the decision": (55.0, 57.0),
        "preconditions and fence": (None, 1.5),
        "promotion or switchover": (None, 60.5),
        "publication": (None, 1.0),
        "replay": (15.0, 4.0),
        "verification by a payment": (None, None),
    }
    page = render(recovered(links=link_reports(moments, limits)))
    assert "Time budget, link by link" in page
    assert 'class="number missed" data-label="Measured">57.0 s' in page
    assert "| promotion or switchover | - | 60.5 |" in markdown.render(recovered(links=link_reports(moments, limits)))


def test_a_run_without_a_loss_has_no_chain() -> None:
    limits = Limits(health_checks=[], speed=5.0)

    assert link_reports([], limits) == []
    assert "Time budget" not in render(report())
