"""Plans of the real engine that take away what holds data: refused before the first change, by the names of all.

The tests share one deployment and leave it as it is. A changed program is planted as its counterpart: a state that
differs from the program.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from ops.rollout.plan_guard import HOLDS_DATA
from shared.places import PROJECTS
from tests.local.embedded import EAST_1, EAST_2
from tests.matrix import inventory
from tests.pulumi_engine.conftest import Environment

pytestmark = pytest.mark.nightly

REGIONS = (EAST_1, EAST_2)
FORCES_REPLACEMENT = {
    "aws:backup/vault:Vault": "name",
    "aws:dynamodb/table:Table": "hashKey",
    "aws:kms/key:Key": "customerMasterKeySpec",
    "aws:rds/cluster:Cluster": "clusterIdentifier",
    "aws:rds/clusterInstance:ClusterInstance": "identifier",
    "aws:rds/globalCluster:GlobalCluster": "globalClusterIdentifier",
    "aws:route53/zone:Zone": "name",
    "aws:s3/bucket:Bucket": "bucket",
    "aws:secretsmanager/secret:Secret": "name",
    "aws:sqs/queue:Queue": "name",
}
"""Nothing forces an accelerator to be replaced."""

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def deployed(local: Environment) -> Environment:
    local.dr("deploy", "--yes")
    return local


@contextmanager
def states(environment: Environment, plant: Callable[[str, Rows], str]) -> Iterator[None]:
    """Let `plant` change the text of each stack's state, given its rows, until the block ends."""
    before = {stack: environment.state(stack).read_text() for stack in PROJECTS}
    for stack, text in before.items():
        environment.state(stack).write_text(plant(text, json.loads(text)["checkpoint"]["latest"]["resources"]))
    try:
        yield
    finally:
        for stack, text in before.items():
            environment.state(stack).write_text(text)


def refused(environment: Environment) -> str:
    """The output of a deployment that is refused and changes nothing."""
    before = inventory.take(environment.aws.client, REGIONS)
    output = environment.dr("deploy", "--yes", status=1)
    assert inventory.take(environment.aws.client, REGIONS) == before
    return output


def lost(output: str) -> set[tuple[str, str, str]]:
    """Type, name, and what happens to it, of each resource that holds data."""
    found = set()
    for line in output.splitlines():
        if "; it holds " in line:
            name, rest = line.partition(": ")[2].split(", ", 1)
            type_, how = rest.partition(";")[0].rsplit(": ", 1)
            found.add((type_, name, how))
    return found


def test_what_is_not_in_the_program_any_more_is_not_deleted(deployed: Environment) -> None:
    """A renamed resource is another one: the engine deletes the old one."""
    renamed: set[tuple[str, str, str]] = set()

    def rename(text: str, rows: Rows) -> str:
        for row in rows:
            if row["type"] in HOLDS_DATA:
                text = text.replace(f'{row["urn"]}"', f'{row["urn"]}-old"')
                renamed.add((row["type"], f"{row['urn'].rpartition('::')[2]}-old", "deleted"))
        return text

    with states(deployed, rename):
        output = refused(deployed)

    assert {type_ for type_, _, _ in renamed} == {*HOLDS_DATA}
    assert lost(output) == renamed
    assert all(name in output.rpartition("ALLOW=")[2] for _, name, _ in renamed)


def test_what_an_argument_would_replace_is_kept(deployed: Environment) -> None:
    changed: set[tuple[str, str, str]] = set()

    def change(text: str, _: Rows) -> str:
        whole = json.loads(text)
        for row in whole["checkpoint"]["latest"]["resources"]:
            if argument := FORCES_REPLACEMENT.get(row["type"]):
                for each in (row["inputs"], row["outputs"]):
                    each[argument] = "former"
                changed.add((row["type"], row["urn"].rpartition("::")[2], argument))
        return json.dumps(whole)

    with states(deployed, change):
        output = refused(deployed)

    assert {type_ for type_, _, _ in changed} == {*FORCES_REPLACEMENT}
    causes = {(type_, name): how for type_, name, how in lost(output)}  # what it is encrypted with may be another cause
    assert [each for each in changed if not re.search(rf"replaced \(.*\b{each[2]}\b", causes.get(each[:2], ""))] == []


@pytest.mark.parametrize(
    "settings",
    [
        {"dr:suffix": "other"},
        {"dr:primaryRegion": EAST_2, "dr:secondaryRegion": EAST_1},
        {"network:primaryCidr": "10.8.0.0/16"},
        {"network:secondaryCidr": "10.9.0.0/16"},
        {"database:engine": "aurora-mysql"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_an_environment_keeps_its_identity(deployed: Environment, settings: Mapping[str, str]) -> None:
    with ExitStack() as changed:
        for stack in PROJECTS:
            for key, value in settings.items():
                changed.enter_context(deployed.setting(stack, key, value))
        output = refused(deployed)

    assert [key for key in settings if f"  {key}: " not in output] == []
