"""The three stack programs as wholes: what they register, where, by which names, and what they promise each other."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from localaws.engine import graph, program, project
from policy.rules.names import NAME_KEYS, NESTED_TYPES, names_of
from shared.local_aws import PROGRAMS
from shared.outputs import GlobalOutputs, RegionOutputs, leaves
from shared.places import PROJECTS
from tests.recorder import Refusing

Row = dict[str, Any]
STACKS = Path(__file__).resolve().parents[2] / "stacks"
REGIONS = {"primary": "us-east-1", "secondary": "us-east-2"}


def outputs_of(rows: list[Row], stack: str) -> dict[str, Any]:
    return next(row["outputs"] for row in rows if row["stack"] == stack and row["type"] == "pulumi:pulumi:Stack")


@pytest.mark.parametrize("stack", REGIONS)
def test_every_resource_of_a_regional_stack_is_in_its_region(aws_rows: list[Row], stack: str) -> None:
    found = [row for row in aws_rows if row["stack"] == stack]
    # IAM is one for all regions; its control plane is in us-east-1 [REGIONS-1].
    regional = [row for row in found if not row["type"].startswith("aws:iam/")]

    assert regional
    assert {row["region"] for row in regional} == {REGIONS[stack]}
    assert {row["provider"].rpartition("::")[2] for row in found} == {stack}


def test_both_regions_are_the_same_cell(aws_rows: list[Row]) -> None:
    def shape(stack: str) -> list[tuple[str, str]]:
        region = REGIONS[stack]
        return sorted((row["type"], row["name"].replace(region, "")) for row in aws_rows if row["stack"] == stack)

    assert shape("primary") == shape("secondary")


def test_a_region_reads_no_other_stack_and_global_reads_both(rows: list[Row]) -> None:
    readers = {row["stack"] for row in rows if row["type"] == "pulumi:pulumi:StackReference"}
    programs = {stack: (STACKS / stack / "__main__.py").read_text() for stack in (*REGIONS, "global")}

    assert readers <= {"global"}
    assert [stack for stack, text in programs.items() if "region_handles" in text] == ["global"]
    assert not [stack for stack, text in programs.items() if "StackReference" in text], "only the helper makes them"


def test_every_name_carries_the_suffix(aws_rows: list[Row]) -> None:
    names = {name for row in aws_rows if row["type"] not in NESTED_TYPES for name in names_of(row)}

    assert len(names) > 50
    assert not [name for name in names if not re.search(r"(^|[-_./])dev([-_./]|$)", name)]


def test_no_two_resources_of_a_type_share_a_name_in_a_region(aws_rows: list[Row]) -> None:
    makers = [row for row in aws_rows if not re.search(r":Bucket[A-Z]|:Record$|:Zone$", row["type"])]
    seen = [
        (row["type"], row["region"], row["inputs"][key]) for row in makers for key in NAME_KEYS if key in row["inputs"]
    ]

    assert len(seen) == len(set(seen)), "of a type, a region and a name there is one"


@pytest.mark.parametrize(
    ("stack", "contract"), [*((stack, RegionOutputs) for stack in REGIONS), ("global", GlobalOutputs)]
)
def test_a_stack_exports_exactly_what_its_contract_promises(rows: list[Row], stack: str, contract: Any) -> None:
    exported = outputs_of(rows, stack)

    assert set(dict(leaves(exported))) == {name for name, _ in contract.build(lambda path: path).leaves()}
    assert not [name for name, value in leaves(exported) if value is None]


def test_projects_are_called_as_the_references_call_them() -> None:
    written = {stack: yaml.safe_load((STACKS / stack / "Pulumi.yaml").read_text())["name"] for stack in PROJECTS}

    assert written == PROJECTS


def test_every_provider_gives_all_tags(rows: list[Row]) -> None:
    providers = [row for row in rows if row["type"] == "pulumi:providers:aws"]
    wanted = {"Environment", "CostCenter", "Criticality", "Place", "Project", "ManagedBy"}

    def tags(row: Row) -> dict[str, str]:
        given = row["inputs"]["defaultTags"]
        return dict((json.loads(given) if isinstance(given, str) else given)["tags"])

    assert len(providers) == 5, "one for each region, three for global"
    assert all(set(tags(row)) == wanted for row in providers)
    assert {tags(row)["Place"] for row in providers} == {"primary", "secondary", "global"}


def test_no_resource_falls_to_a_default_provider(aws_rows: list[Row]) -> None:
    assert not [row["urn"] for row in aws_rows if not row["provider"]]


def test_the_accelerator_leads_to_both_regions(aws_rows: list[Row]) -> None:
    groups = [row for row in aws_rows if row["type"] == "aws:globalaccelerator/endpointGroup:EndpointGroup"]

    assert {row["inputs"]["endpointGroupRegion"] for row in groups} == set(REGIONS.values())
    assert all(len(row["inputs"]["endpointConfigurations"]) == 1 for row in groups)


def test_health_checks_probe_the_exported_endpoints(rows: list[Row], aws_rows: list[Row]) -> None:
    checks = [row["inputs"] for row in aws_rows if row["type"] == "aws:route53/healthCheck:HealthCheck"]
    hosts = {check["fqdn"] for check in checks if check["type"] == "HTTPS"}
    regions = {region: outputs_of(rows, stack)["ingress"] for stack, region in REGIONS.items()}

    apis = {f"{each['api_id']}.execute-api.{region}.amazonaws.com" for region, each in regions.items()}
    assert hosts == apis | {each["nlb_dns_name"] for each in regions.values()}


def test_nothing_that_a_failover_changes_is_changed_back(aws_rows: list[Row]) -> None:
    # Clearing it on a reader would promote that member [AURORA-2].
    clusters = [row for row in aws_rows if row["type"] == "aws:rds/cluster:Cluster"]

    assert len(clusters) == 2
    assert all("replicationSourceIdentifier" in row["options"]["ignore_changes"] for row in clusters)


def test_the_first_member_creates_the_database_and_a_joining_one_has_no_credentials(aws_rows: list[Row]) -> None:
    # AWS answers InvalidParameterCombination [AURORA-6]. Not inherited for certain: [AURORA-27].
    first, joining = (
        next(row for row in aws_rows if row["type"].endswith(":Cluster") and row["region"] == region)
        for region in ("us-east-1", "us-east-2")
    )

    assert first["inputs"]["databaseName"] == "payments"
    assert not {"masterUsername", "masterPassword", "manageMasterUserPassword", "databaseName"} & set(joining["inputs"])


def test_an_upgrade_of_the_database_is_not_reverted(aws_rows: list[Row]) -> None:
    (database,) = [row for row in aws_rows if row["type"] == "aws:rds/globalCluster:GlobalCluster"]

    assert database["options"]["ignore_changes"] == ["engineVersion"]


def test_nothing_blocks_deletion(aws_rows: list[Row]) -> None:
    blocked = [
        row["urn"]
        for row in aws_rows
        if row["options"].get("protect")
        or row["options"].get("retain_on_delete")
        or row["inputs"].get("deletionProtection")
        or row["inputs"].get("enableDeletionProtection")
        or row["inputs"].get("deletionProtectionEnabled")
    ]

    assert not blocked


def test_a_second_run_registers_the_same_inputs(rows: list[Row]) -> None:
    def inputs(found: list[Row]) -> str:
        return json.dumps(
            [{key: row[key] for key in ("urn", "inputs", "options")} for row in sort(found)], sort_keys=True
        )

    def sort(found: list[Row]) -> list[Row]:
        return sorted(found, key=lambda row: str(row["urn"]))

    assert inputs(graph("dev", PROGRAMS)) == inputs(rows)


def test_no_machine_path_is_registered(rows: list[Row]) -> None:
    assert str(STACKS.parent) not in json.dumps(rows)


def test_no_secret_is_shown(rows: list[Row]) -> None:
    text = json.dumps(rows)

    assert "PRIVATE KEY" not in text
    member = next(row for row in rows if row["type"] == "aws:rds/cluster:Cluster" and row["region"] == "us-east-1")
    assert member["inputs"]["masterPassword"] == "[secret]"


@pytest.mark.parametrize("stack", [*REGIONS, "global"])
def test_bad_settings_stop_a_program_before_its_first_resource(stack: str) -> None:

    loaded = project.load(STACKS / stack, "dev", {"network:secondaryCidr": "10.0.0.0/16"})
    engine = Refusing()

    with pytest.raises(ValueError, match=r"network:secondaryCidr is 10\.0\.0\.0/16, which overlaps"):
        program.run(loaded, engine, preview=False, workers=1, warn=print)
    assert not engine.registered
