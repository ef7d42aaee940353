"""The endpoints and settings by which a sentinel monitors its peer."""

import json

import pytest
from botocore.exceptions import EndpointConnectionError
from sentinel.settings import Settings

from common.environment import EnvironmentProblem
from common.health_endpoints import EndpointsNotFound
from tests.functions.harness import EAST_1, EAST_2
from tests.functions.sentinel.loop_world import ENVIRONMENT, Scene, _present, scene

__all__ = ["_present", "scene"]


def test_the_addresses_of_an_earlier_run_are_good_enough(scene: Scene) -> None:
    scene.run()
    scene.parameters.fault = EndpointConnectionError(endpoint_url="https://ssm")

    assert scene.run() == ["peer-answers"]
    assert "stale-endpoints" in [line.get("event") for line in scene.lines()]


@pytest.mark.parametrize("gone", ["silent", "deleted"])
def test_a_new_environment_without_parameter_store_monitors_by_the_copy_in_the_journal(scene: Scene, gone: str) -> None:
    scene.run()
    if gone == "silent":
        scene.parameters.fault = EndpointConnectionError(endpoint_url="https://ssm")
    else:
        scene.parameters.urls.clear()
    scene.restart()
    scene.lose_after, scene.witness_agrees_after = scene.now + 10.0, 0.0

    assert "peer-lost" in scene.run(2)
    assert len(scene.executions()) == 1


def test_without_parameter_store_and_without_a_copy_the_sentinel_fails_by_name(scene: Scene) -> None:
    scene.parameters.urls.clear()

    with pytest.raises(EndpointsNotFound, match="deploy the global stack"):
        scene.run()


def test_endpoints_that_have_moved_replace_the_copy(scene: Scene) -> None:
    scene.run()
    before = scene.tables.items(EAST_2)[f"endpoints#{EAST_2}#{EAST_1}"]
    scene.parameters.urls[f"/app/dev/endpoints/{EAST_1}/api"] = scene.endpoints[EAST_1][0].url
    scene.run()

    after = scene.tables.items(EAST_2)[f"endpoints#{EAST_2}#{EAST_1}"]
    assert json.loads(after["urls"]["S"])["api"] == scene.endpoints[EAST_1][0].url
    assert before != after
    assert f"endpoints#{EAST_2}#{EAST_1}" not in scene.tables.items(EAST_1), "each region writes its own replica"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FAILURES", "6"),
        ("PROBE_TIMEOUT_SECONDS", "6"),
        ("RETRY_SECONDS", "901"),
        ("PEER_REGION", EAST_2),
        ("CLOCK_SPEED", "0"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(name: str, value: str) -> None:
    with pytest.raises(EnvironmentProblem, match=name):
        Settings.read({**ENVIRONMENT, name: value})


@pytest.mark.parametrize(("speed", "seconds"), [("1", 2.0), ("2", 1.0), ("10", 0.7)])
def test_an_endpoint_whose_cell_waits_for_an_unreachable_peer_is_given_the_time_however_quick_the_clock(
    speed: str, seconds: float
) -> None:
    settings = Settings.read({**ENVIRONMENT, "PEER_TIMEOUT_MS": "500", "CLOCK_SPEED": speed})

    assert settings.probe_deadline == pytest.approx(seconds)
