"""Every resource type read back from AWS: nothing has changed after its creation, and it is gone after its deletion."""

from typing import Any

import pytest

from localaws.engine import prepare
from localaws.engine.state import Record
from localaws.provider import reading
from localaws.provider.calls import ACCOUNT, Aws
from localaws.provider.context import Context
from localaws.provider.lookups import LOOKUPS
from localaws.provider.preparation import StackRun
from localaws.provider.resources import TABLE
from tests.runner.cases import Case, all_cases
from tests.runner.conftest import Client, Programs

ALWAYS_THERE = {"aws:apigateway/account:Account"}  # settings of the account in a region
SETTLING = {
    "aws:ec2/peeringConnectionOptions:PeeringConnectionOptions": {"accepter", "requester"},
    "aws:ec2/vpcPeeringConnection:VpcPeeringConnection": {"acceptStatus", "accepter", "requester"},
    "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": {"accepter", "requester"},
    "aws:lambda/eventSourceMapping:EventSourceMapping": {"lastModified", "state"},
    "aws:lambda/function:Function": {"lastModified"},
    "aws:rds/cluster:Cluster": {"readerEndpoint"},
    "aws:rds/globalCluster:GlobalCluster": {"globalClusterMembers"},
}
"""Outputs that AWS still changes after a creation, as on the real one."""


def context(record: Record, programs: Programs) -> Context:
    run = StackRun(caller=Aws(programs.endpoint), account=ACCOUNT, folder=programs.folder / "primary")
    return prepare.deployed(run, record)


def changed(found: Context, before: dict[str, Any]) -> set[str]:
    outputs = found.entry.outputs.keys() - SETTLING.get(found.type, set())
    return {key for key in outputs if key in before and found.out[key] != before[key]}


@pytest.mark.parametrize("case", all_cases().values(), ids=all_cases().keys())
def test_what_was_created_is_read_back_unchanged_until_it_is_gone(case: Case, programs: Programs) -> None:
    programs.write(case.program)
    programs.deploy()
    records = [each for each in programs.state.stacks["primary"].resources.values() if TABLE[each.type].service]

    for record in records:
        found = context(record, programs)
        before = dict(found.out)
        there = reading.read(found)
        assert there, f"{record.type} {record.name} is not found"
        assert there.drifted == {}, record.type
        assert changed(found, before) == set(), record.type

    programs.destroy()
    looked_up = [each for each in records if TABLE[each.type].read or each.type in LOOKUPS]
    left = [each.type for each in looked_up if reading.read(context(each, programs))]
    assert {*left} - ALWAYS_THERE <= {type_ for type_, each in case.readings.items() if each.stays}


def test_an_argument_that_was_changed_by_hand_is_found(programs: Programs, client: Client) -> None:
    programs.write(
        """
        function = aws.lambda_.Function(
            "health", role="arn:aws:iam::000000000000:role/any", runtime="python3.12", handler="main.handler",
            code=pulumi.AssetArchive({"main.py": pulumi.StringAsset("def handler(event, context): ...")}),
            timeout=5, opts=opts,
        )
        pulumi.export("name", function.name)
        """
    )
    name = programs.deploy().outputs["primary"]["name"]
    (record,) = (each for each in programs.state.stacks["primary"].resources.values() if "Function" in each.type)
    client("lambda").update_function_configuration(FunctionName=name, Timeout=9)

    found = context(record, programs)

    there = reading.read(found)

    assert there
    assert there.drifted == {"timeout": 9}


def test_tags_that_were_changed_by_hand_are_found(programs: Programs, client: Client) -> None:
    programs.write(
        """
        vpc = aws.ec2.Vpc("app", cidr_block="10.0.0.0/16", tags={"Owner": "me"}, opts=opts)
        pulumi.export("id", vpc.id)
        """
    )
    vpc = programs.deploy().outputs["primary"]["id"]
    (record,) = (each for each in programs.state.stacks["primary"].resources.values() if "Vpc" in each.type)
    client("ec2").create_tags(Resources=[vpc], Tags=[{"Key": "Owner", "Value": "you"}, {"Key": "Late", "Value": "1"}])

    there = reading.read(context(record, programs))

    assert there
    assert there.drifted == {
        "tags": {"Owner": "you", "Late": "1"},
        "tagsAll": {"Application": "dr", "Owner": "you", "Late": "1"},
    }


def test_an_encrypted_value_is_compared_in_clear(programs: Programs) -> None:
    programs.write("aws.ssm.Parameter('key', type='SecureString', value='do-not-show', opts=opts)")
    programs.deploy()
    (record,) = (each for each in programs.state.stacks["primary"].resources.values() if "Parameter" in each.type)

    there = reading.read(context(record, programs))

    assert there
    assert there.drifted == {}
