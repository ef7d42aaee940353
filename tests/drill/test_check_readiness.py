"""Checks that lack a reading, and whether an environment is ready with their results."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from components.storage.bucket_replication import rule_id
from drill.cli.check import conclusion
from drill.preflight import database, functions
from drill.preflight.run import check_readiness
from shared.places import Place
from tests.drill import healthy
from tests.drill.check_world import CRITICAL, OK, WARNING, Http, P, S, World, by_region, http, shared_world, world

__all__ = ["http", "shared_world", "world"]


def test_a_sentinel_that_was_just_deployed_is_given_time(world: World) -> None:
    world.answers.set("GetMetricData", healthy.metric())
    world.answers.set("GetFunctionConfiguration", healthy.function(LastModified=healthy.now().isoformat()))

    assert world.check(functions.sentinels).severity is WARNING


def test_a_sentinel_whose_metric_is_silent_is_known_by_its_log(world: World) -> None:
    world.answers.set("GetMetricData", healthy.metric())
    world.answers.set("FilterLogEvents", {"events": [{"message": "decision"}]}, P)

    finding = world.check(functions.sentinels)

    assert finding.severity is CRITICAL
    assert finding.evidence == "eu-west-1: has run, by its log; eu-central-1: no run in 15 minutes"


@pytest.mark.parametrize("code", ["NotImplemented", "InvalidAction"])
def test_what_an_aws_does_not_know_is_never_ok(world: World, code: str) -> None:
    world.answers.set("DescribeSecret", code)

    finding = world.check(database.secret_replicated)

    assert finding.severity is WARNING
    assert finding.evidence == "could not be checked: the embedded AWS has no DescribeSecret"


def test_a_warning_leaves_an_environment_ready_and_something_critical_does_not(world: World) -> None:
    checks = (functions.dead_letters, database.versions_equal)
    letters = {"Attributes": {"ApproximateNumberOfMessages": "2"}}
    world.answers.set("GetQueueAttributes", letters)
    warned = check_readiness(world.deployment, datetime.now(UTC), checks=checks)
    world.answers.set("DescribeDBClusters", healthy.cluster(EngineVersion="1"), S)
    broken = check_readiness(world.deployment, datetime.now(UTC), checks=checks)

    assert (warned.ready, warned.worst, warned.status) == (True, WARNING, 0)
    assert (broken.ready, broken.worst, broken.status) == (False, CRITICAL, 1)
    assert "READY: eu-west-1 and eu-central-1 can take over. 0 critical, 1 warnings, 1 ok" in conclusion(warned)
    assert "NOT READY. 1 critical, 1 warnings, 0 ok" in conclusion(broken)


def test_no_check_reads_a_value_or_changes_anything(world: World, http: Callable[[Http], None]) -> None:
    http(by_region(200, 200))
    invoked: list[dict[str, Any]] = []
    events = world.deployment.client("lambda", P).meta.events
    events.register("provide-client-params.lambda.Invoke", lambda params, **_: invoked.append(params))

    readiness = check_readiness(world.deployment, datetime.now(UTC))
    operations = {name for name, _ in world.answers.asked}

    assert readiness.worst is OK
    assert {name for name in operations if not name.startswith(("Get", "List", "Describe", "Filter"))} == {"Invoke"}
    assert [json.loads(each["Payload"])["operation"] for each in invoked] == ["audit"], "which reads only"
    assert not operations & {"GetSecretValue", "GetParameter", "GetParameters", "GetParametersByPath", "GetFunction"}


def test_the_bucket_rules_metrics_are_asked_by_the_id_that_the_stack_gives_them() -> None:
    assert [rule_id(place) for place in Place] == ["primary-to-secondary", "secondary-to-primary"]
