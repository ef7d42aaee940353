"""Every component that the stacks can wire deploys here: both regions, all edges between them, and away again."""

import importlib
import re
from pathlib import Path

import httpx
import pulumi

from localaws.provider.resources import TABLE
from tests.runner.conftest import Client, Programs

PROGRAM = (Path(__file__).parent / "component_program.py").read_text()
ROOT = Path(__file__).parents[2]


def test_every_component_of_both_regions_deploys_and_goes(programs: Programs, client: Client) -> None:
    programs.write(PROGRAM, preamble="")
    deployment = programs.deploy()
    exports = deployment.outputs["primary"]

    again = programs.deploy()

    assert len(again.changes) == 0
    assert exports["peer-host-primary"].endswith(".dynamodb.us-east-1.vpce.amazonaws.com")
    peering = client("ec2", "us-east-2").describe_vpc_peering_connections()["VpcPeeringConnections"]
    assert "active" in {connection["Status"]["Code"] for connection in peering}
    _check_names(client)
    for place in ("primary", "secondary"):
        url = f"{programs.endpoint}/_aws/execute-api/{exports[f'api-{place}']}/live/payments"
        refused, served = httpx.get(url), httpx.get(url, headers={"x-api-key": "s" * 40})
        assert (refused.status_code, served.status_code) == (403, 200), "one key opens the API of both regions"


def _check_names(client: Client) -> None:
    """Hosted zones, records and health checks, as Route 53 tells them back."""
    route53 = client("route53")
    zones = {zone["Name"]: zone["Id"] for zone in route53.list_hosted_zones()["HostedZones"]}
    private = route53.get_hosted_zone(Id=zones["witness-primary.parts.example."])["VPCs"]
    assert {vpc["VPCRegion"] for vpc in private} == {"us-east-1", "us-east-2"}
    records = route53.list_resource_record_sets(HostedZoneId=zones["parts.example."])["ResourceRecordSets"]
    proofs = [(record["SetIdentifier"], record["Weight"]) for record in records if record["Type"] == "CNAME"]
    assert sorted(proofs) == [("primary-parts", 1), ("secondary-parts", 1)]
    witness = [record for record in records if record["Type"] == "TXT" and "primary" in record["Name"]]
    assert {record["Failover"]: record["ResourceRecords"][0]["Value"] for record in witness} == {
        "PRIMARY": '"up"',
        "SECONDARY": '"down"',
    }
    configs = [check["HealthCheckConfig"] for check in route53.list_health_checks()["HealthChecks"]]
    calculated = [config for config in configs if config["Type"] == "CALCULATED"]
    assert sorted(config["HealthThreshold"] for config in calculated) == [1, 1, 2]
    assert all(len(config["ChildHealthChecks"]) == 2 for config in calculated)
    followed = [config["AlarmIdentifier"] for config in configs if config["Type"] == "CLOUDWATCH_METRIC"]
    assert followed == [{"Region": "us-east-1", "Name": "alarm-events-latency-parts"}]


def test_every_resource_class_that_components_and_stacks_use_is_in_the_table() -> None:
    sources = [path.read_text() for folder in ("components", "stacks") for path in (ROOT / folder).rglob("*.py")]
    named = {(module, name) for source in sources for module, name in re.findall(r"aws\.(\w+)\.([A-Z]\w+)\(", source)}
    classes = [getattr(importlib.import_module(f"pulumi_aws.{module}"), name) for module, name in named]
    types = {found.pulumi_type for found in classes if issubclass(found, pulumi.CustomResource)}

    assert len(types) > 60
    assert types <= TABLE.keys()
