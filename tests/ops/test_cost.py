"""The monthly cost of an environment: nothing forgotten, sums that can be made by hand, prices with a source."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ops.cli import app
from ops.cost import command as cost_command
from ops.cost import model, pricers
from ops.cost import prices as cost_prices
from ops.cost.model import HOURS, SECONDS, Estimate, Load
from ops.environment import resource_graph
from tests.programs.profiles import ENVIRONMENTS
from tests.programs.profiles import registered as rows_of

IDLE = Load(payments_per_second=0, journal_gb=0, database_gb=0, bucket_gb=0, failovers=0)
PRICES = {each.key: each.price for each in cost_prices.table().prices}


def row(token: str, name: str = "one", stack: str = "primary", **inputs: Any) -> dict[str, Any]:
    common = {"stack": stack, "urn": f"urn:pulumi:test::dr-{stack}::{token}::{name}", "type": token, "name": name}
    return {**common, "region": "us-east-1", "inputs": inputs, "outputs": {}}


def dollars(estimate: Estimate, price: str, *, fixed: bool = True) -> float:
    return sum(line.dollars for line in estimate.lines if (line.price, line.fixed) == (price, fixed))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command, with the graphs that the other tests have registered already."""
    monkeypatch.setattr(resource_graph, "rows", rows_of)
    return lambda *words: CliRunner().invoke(app, ["cost", *words])


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_everything_the_programs_register_is_priced_or_free_with_a_reason(environment: str) -> None:
    estimate = cost_command.estimate(environment, rows_of(environment), Load())

    assert estimate.unknown == Counter()
    assert estimate.unpriced == Counter()
    assert estimate.fixed > 100


def test_no_type_is_both_priced_and_free() -> None:
    tables = [pricers.PRICERS, cost_prices.FREE, cost_prices.NOT_ESTIMATED]
    seen = Counter(token for table in tables for token in table)

    assert [token for token, times in seen.items() if times > 1] == []
    assert all(cost_prices.FREE.values())


def test_a_type_nobody_has_priced_is_listed_and_the_command_ends_with_1(
    command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource_graph, "rows", lambda _: [row("aws:quantum/device:Device"), row("aws:ec2/eip:Eip")])

    result = command("--env", "dev")

    assert result.exit_code == 1
    assert "dev: 1 of aws:quantum/device:Device: unknown cost" in result.output
    assert "the estimate is incomplete" in result.output


def test_an_instance_class_without_a_price_is_listed() -> None:
    estimate = cost_command.estimate(
        "dev", [row("aws:rds/clusterInstance:ClusterInstance", instanceClass="db.x9.huge")], IDLE
    )

    assert estimate.unpriced == Counter({"aurora-db.x9.huge-hour": 1})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (row("aws:ec2/natGateway:NatGateway"), HOURS * PRICES["nat-gateway-hour"]),
        (row("aws:rds/clusterInstance:ClusterInstance", instanceClass="db.r6g.large"), HOURS * 0.26),
        (row("aws:wafv2/webAcl:WebAcl", rules=[{}, {}, {}]), 5 + 3 * 1.0),
        (row("aws:secretsmanager/secret:Secret", replicas=[{"region": "us-east-2"}]), 0.8),
        (row("aws:ec2/vpcEndpoint:VpcEndpoint", vpcEndpointType="Gateway"), 0.0),
        (row("aws:ec2/vpcEndpoint:VpcEndpoint", vpcEndpointType="Interface", subnetIds=["a", "b"]), HOURS * 0.02),
        (row("aws:route53/healthCheck:HealthCheck", type="HTTPS", requestInterval=10, fqdn="x"), 0.5 + 2.0),
        (row("aws:route53/healthCheck:HealthCheck", type="CALCULATED"), 0.5),
        (row("aws:lb/loadBalancer:LoadBalancer", loadBalancerType="application", internal=True), HOURS * 0.0225),
        (
            row("aws:lb/loadBalancer:LoadBalancer", loadBalancerType="network", subnets=["a", "b"]),
            HOURS * (0.0225 + 2 * 0.005),
        ),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_a_resource_without_load_costs_what_one_reckons_by_hand(given: dict[str, Any], expected: float) -> None:
    estimate = cost_command.estimate("test", [given], IDLE)

    assert estimate.fixed == pytest.approx(expected)
    assert estimate.use == 0


def test_health_probes_cost_the_health_function_and_requests_the_workloads() -> None:
    scene = model.Scene(rows_of("dev"), Load(payments_per_second=1))
    probes, requests = {}, {}
    for name in ("health", "payments"):
        (function,) = [
            each
            for each in resource_graph.of_type(scene.rows, "aws:lambda/function:Function")
            if (each["name"], each["stack"]) == (f"{name}-function", "primary")
        ]
        requests[name], probes[name] = scene.invocations(function)

    assert (requests["health"], probes["payments"]) == (0, 0)
    # Every checker probes each of two endpoints every 10 s, and so does each zone's load balancer node.
    assert probes["health"] > 3 * SECONDS
    assert requests["payments"] >= SECONDS


def test_a_payment_is_four_writes_to_the_journal() -> None:
    table = row("aws:dynamodb/table:Table", "journal-table", "global", replicas=[{"regionName": "us-east-2"}])
    load = Load(payments_per_second=1, reads_per_payment=0, journal_gb=0)

    assert dollars(cost_command.estimate("test", [table], load), "table-write", fixed=False) == pytest.approx(
        SECONDS * 4 * 0.625e-6
    )


def test_what_a_serverless_writer_takes_beyond_its_least_capacity_is_by_use() -> None:
    rows = rows_of("dev")
    least, more = (cost_command.estimate("dev", rows, Load(database_acu=each)) for each in (0.5, 4.5))

    assert (
        dollars(least, "aurora-acu-hour") == dollars(more, "aurora-acu-hour") == pytest.approx(2 * 0.5 * HOURS * 0.12)
    )
    assert dollars(least, "aurora-acu-hour", fixed=False) == 0
    assert dollars(more, "aurora-acu-hour", fixed=False) == pytest.approx(4 * HOURS * 0.12), "of the writer alone"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_ten_times_the_load_changes_what_is_by_use_and_nothing_else(environment: str) -> None:
    rows = rows_of(environment)
    one, ten = (cost_command.estimate(environment, rows, Load(payments_per_second=each)) for each in (1.0, 10.0))

    assert ten.fixed == pytest.approx(one.fixed)
    assert ten.use > one.use
    assert cost_command.estimate(environment, rows, IDLE).use == pytest.approx(0, abs=0.01)


def test_health_checkers_cost_with_no_client_at_all() -> None:
    """Fifteen checkers every ten seconds at each API: more requests than many a workload makes."""
    estimate = cost_command.estimate("dev", rows_of("dev"), IDLE)

    assert dollars(estimate, "api-request") == pytest.approx(2 * 15 * SECONDS / 10 * 3.5e-6)
    assert dollars(estimate, "lambda-request") > 0


def test_a_region_that_stands_by_takes_no_clients_and_two_active_ones_share_them() -> None:
    group = "aws:globalaccelerator/endpointGroup:EndpointGroup"

    def shares(*dials: int) -> dict[str, float]:
        groups = [
            row(group, f"g{dial}", "global", endpointGroupRegion=region, trafficDialPercentage=dial)
            for region, dial in zip(("us-east-1", "us-east-2"), dials, strict=True)
        ]
        return model.Scene(groups, Load()).shares

    assert shares(100, 0) == {"us-east-1": 1.0, "us-east-2": 0.0}
    assert shares(100, 100) == {"us-east-1": 0.5, "us-east-2": 0.5}


@pytest.mark.parametrize(
    ("schedule", "times"),
    [("rate(1 minute)", SECONDS / 60), ("rate(6 hours)", SECONDS / 21600), ("cron(0 3 * * ? *)", 30.4)],
)
def test_how_often_a_schedule_runs(schedule: str, times: float) -> None:
    assert model.times(schedule) == pytest.approx(times, rel=0.01)


def test_every_price_has_a_page_of_aws_a_date_and_a_use() -> None:
    prices = cost_prices.table().prices
    source = "".join(path.read_text() for path in Path(cost_command.__file__).parent.glob("*.py"))

    assert len({each.key for each in prices}) == len(prices)
    assert {each.source.host for each in prices} == {"aws.amazon.com"}
    # Load balancers and instances put their keys together.
    unused = [
        each.key
        for each in prices
        if f'"{each.key}"' not in source and not each.key.startswith(("aurora-db", "alb-", "nlb-"))
    ]
    assert unused == []


def test_environments_stand_side_by_side(command: Any) -> None:
    result = command("--env", "dev", "--compare", "prod", "--payments-per-second", "5")

    assert result.exit_code == 0, result.output
    assert "dev fixed" in result.output
    assert "prod fixed" in result.output
    assert "Aurora" in result.output
    assert "payments per second 5" in result.output.replace("\n", " ")
    assert "prices are from memory" in result.output.replace("\n", " ")


def test_the_lines_for_programs_add_up_to_the_sums(command: Any) -> None:
    result = command("--env", "prod", "--json")

    estimate = json.loads(result.output)["environments"]["prod"]
    assert sum(line["dollars"] for line in estimate["lines"]) == pytest.approx(estimate["total"], abs=0.02)
    assert estimate["fixed"] + estimate["by_use"] == pytest.approx(estimate["total"], abs=0.02)
    assert estimate["unknown_types"] == {}
    assert {line["stack"] for line in estimate["lines"]} == {"primary", "secondary", "global"}


def test_production_costs_more_than_the_cheapest_that_shows_everything() -> None:
    dev, prod = (cost_command.estimate(each, rows_of(each), Load()) for each in ("dev", "prod"))

    assert prod.total > dev.total


def test_an_environment_that_cannot_be_registered_exits_with_2_and_the_reason() -> None:
    result = CliRunner().invoke(app, ["cost", "--env", "NOT-A-NAME"])

    assert result.exit_code == 2
    assert "NOT-A-NAME cannot be registered" in result.output
