"""One run after another on the same state: what is kept, changed, deleted, refused."""

import json
import stat
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from localaws.engine import DeployError, State
from tests.runner.conftest import Client, Programs

PARAMETER = """
parameter = aws.ssm.Parameter("one", name="/runs/one", type="String", value="{value}", opts=opts)
pulumi.export("version", parameter.version)
"""


def _value(client: Client, name: str = "/runs/one") -> str:
    return str(client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def test_the_same_program_again_calls_nothing_and_answers_the_same(programs: Programs, client: Client) -> None:
    programs.write(PARAMETER.format(value="a"))
    first = programs.deploy()
    client("ssm").put_parameter(Name="/runs/one", Value="changed by hand", Overwrite=True)

    second = programs.deploy()

    assert len(first.changes) == 1
    assert len(second.changes) == 0
    assert second.registrations == first.registrations
    assert second.outputs == first.outputs
    assert _value(client) == "changed by hand", "a resource whose inputs are the same was called"


def test_a_changed_argument_is_updated_in_place(programs: Programs, client: Client) -> None:
    programs.write(PARAMETER.format(value="a"))
    programs.deploy()
    programs.write(PARAMETER.format(value="b"))

    second = programs.deploy()

    assert [urn.rpartition("::")[2] for urn in second.changes.updated] == ["one"]
    assert _value(client) == "b"
    assert second.outputs["primary"]["version"] == 2


def test_a_change_that_aws_could_only_replace_names_type_and_argument(programs: Programs, client: Client) -> None:
    programs.write(PARAMETER.format(value="a"))
    programs.deploy()
    programs.write(PARAMETER.format(value="a").replace("/runs/one", "/runs/two"))

    with pytest.raises(DeployError, match=r"aws:ssm/parameter:Parameter would be replaced: name"):
        programs.deploy()
    assert _value(client) == "a"


def test_what_a_program_no_longer_registers_is_deleted_dependents_first(programs: Programs, client: Client) -> None:
    programs.write(
        """
        vpc = aws.ec2.Vpc("gone", cidr_block="10.3.0.0/16", opts=opts)
        aws.ec2.Subnet("gone", vpc_id=vpc.id, cidr_block="10.3.0.0/24", opts=opts)
        aws.ssm.Parameter("stays", name="/runs/stays", type="String", value="a", opts=opts)
        pulumi.export("vpc", vpc.id)
        """
    )
    vpc = programs.deploy().outputs["primary"]["vpc"]
    programs.write("""aws.ssm.Parameter("stays", name="/runs/stays", type="String", value="a", opts=opts)""")

    second = programs.deploy()

    assert [urn.split("::")[2] for urn in second.changes.deleted] == ["aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc"]
    with pytest.raises(ClientError, match="NotFound"):
        client("ec2").describe_vpcs(VpcIds=[vpc])
    assert _value(client, "/runs/stays") == "a"


def test_ignored_changes_keep_the_first_value(programs: Programs, client: Client) -> None:
    body = """
        tags = {{"Owner": "{value}", "Kind": "{value}"}}
        aws.ssm.Parameter("one", name="/runs/one", type="String", value="{value}", tags=tags,
            opts=pulumi.ResourceOptions(provider=provider, ignore_changes=["value", "tags.Owner"]))
        """
    programs.write(body.format(value="a"))
    programs.deploy()
    programs.write(body.format(value="b"))

    programs.deploy()

    tags = client("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId="/runs/one")["TagList"]
    assert _value(client) == "a"
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"Application": "dr", "Owner": "a", "Kind": "b"}


def test_another_provider_tag_reaches_what_is_there(programs: Programs, client: Client) -> None:
    programs.write(PARAMETER.format(value="a"))
    programs.deploy()
    programs.write('provider = aws.Provider("east", region="us-east-1", default_tags={"tags": {"Team": "x"}})\n'
                   "opts = pulumi.ResourceOptions(provider=provider)\n" + PARAMETER.format(value="a"),
                   preamble="import pulumi\nimport pulumi_aws as aws\n")  # fmt: skip

    second = programs.deploy()

    tags = client("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId="/runs/one")["TagList"]
    assert len(second.changes.updated) == 1
    assert tags == [{"Key": "Team", "Value": "x"}]


def test_a_renamed_resource_with_an_alias_is_kept(programs: Programs, client: Client) -> None:
    programs.write(PARAMETER.format(value="a"))
    programs.deploy()
    programs.write(
        """
        aws.ssm.Parameter("renamed", name="/runs/one", type="String", value="a",
            opts=pulumi.ResourceOptions(provider=provider, aliases=[pulumi.Alias(name="one")]))
        """
    )

    second = programs.deploy()

    assert len(second.changes) == 0
    assert _value(client) == "a"


def test_a_generated_name_is_kept_from_run_to_run_and_fits_the_limit(programs: Programs, client: Client) -> None:
    body = """
        name = "a-load-balancer-with-quite-a-long-name"
        group = aws.lb.TargetGroup(name, target_type="lambda", tags={tags}, opts=opts)
        pulumi.export("name", group.name)
        """
    programs.write(body.format(tags={}))
    first = programs.deploy().outputs["primary"]["name"]
    programs.write(body.format(tags={"Owner": "me"}))

    second = programs.deploy()

    assert second.outputs["primary"]["name"] == first
    assert first.startswith("a-load-balancer-with-qui")
    assert len(first) == 32
    assert client("elbv2").describe_target_groups(Names=[first])["TargetGroups"]


def test_a_protected_resource_stops_a_destroy_before_anything_goes(programs: Programs, client: Client) -> None:
    programs.write(
        PARAMETER.format(value="a") + 'aws.ssm.Parameter("two", name="/runs/two", type="String", value="a", '
        "opts=pulumi.ResourceOptions(provider=provider, protect=True))"
    )
    programs.deploy()

    with pytest.raises(DeployError, match="two is protected"):
        programs.destroy()
    assert _value(client) == "a"

    programs.write(PARAMETER.format(value="a"))
    with pytest.raises(DeployError, match="two is protected"):
        programs.deploy()
    programs.write(
        PARAMETER.format(value="a") + 'aws.ssm.Parameter("two", name="/runs/two", type="String", value="a", opts=opts)'
    )
    assert len(programs.deploy().changes) == 0


def test_a_retained_resource_outlives_its_stack(programs: Programs, client: Client) -> None:
    programs.write(
        """
        aws.ssm.Parameter("one", name="/runs/kept", type="String", value="a",
            opts=pulumi.ResourceOptions(provider=provider, retain_on_delete=True))
        """
    )
    programs.deploy()

    programs.destroy()

    assert _value(client, "/runs/kept") == "a"
    client("ssm").delete_parameter(Name="/runs/kept")


def test_after_a_failure_the_next_run_goes_on_and_a_destroy_removes_all(programs: Programs, client: Client) -> None:
    body = """
        POLICY = '{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}]}}'
        role = aws.iam.Role("one", name="runs-one", assume_role_policy="{{}}", opts=opts)
        aws.iam.RolePolicy("two", role={role}, policy=role.arn.apply(lambda arn: POLICY), opts=opts)
        """
    programs.write(body.format(role="'nobody'"))
    with pytest.raises(DeployError) as failure:
        programs.deploy()
    assert (failure.value.stack, failure.value.operation) == ("primary", "iam:put_role_policy")
    assert failure.value.urn.endswith("::two")
    assert failure.value.code == "NoSuchEntity"

    programs.write(body.format(role="role.name"))
    assert [urn.rpartition("::")[2] for urn in programs.deploy().changes.created] == ["two"]

    assert programs.destroy() == {"primary": 2}
    with pytest.raises(ClientError, match="NoSuchEntity"):
        client("iam").get_role(RoleName="runs-one")


def test_a_half_made_resource_is_made_anew(programs: Programs, client: Client) -> None:
    body = """
        aws.sqs.Queue("q", name="runs-q", opts=opts)
        aws.cloudwatch.LogGroup("half", name="/runs/half", retention_in_days={days}, opts=opts)
        """
    programs.write(body.format(days=13))
    with pytest.raises(DeployError, match="logs:put_retention_policy"):
        programs.deploy()
    assert client("logs").describe_log_groups(logGroupNamePrefix="/runs/half")["logGroups"]

    programs.write(body.format(days=14))
    second = programs.deploy()

    assert [urn.rpartition("::")[2] for urn in second.changes.created] == ["half"]
    [group] = client("logs").describe_log_groups(logGroupNamePrefix="/runs/half")["logGroups"]
    assert group["retentionInDays"] == 14


def test_the_state_file_is_private_and_holds_no_secret_in_clear(programs: Programs, tmp_path: Path) -> None:
    programs.write(
        """
        word = pulumi.Output.secret("open-sesame")
        parameter = aws.ssm.Parameter("one", name="/runs/secret", type="SecureString", value=word, opts=opts)
        pulumi.export("word", word)
        pulumi.export("value", parameter.value)
        pulumi.export("plain", "plain")
        """
    )
    deployment = programs.deploy()
    file = tmp_path / "state" / "primary.json"

    text = file.read_text()
    assert "open-sesame" not in text
    assert json.loads(text)["outputs"]["plain"] == "plain"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert deployment.outputs["primary"] == {"word": "[secret]", "value": "[secret]", "plain": "plain"}
    assert deployment.secrets["primary"] == {"word": "open-sesame", "value": "open-sesame"}
    assert "open-sesame" not in f"{deployment}{deployment.registrations}{deployment.rows}"
    programs.destroy()
    assert not file.exists()


def test_a_state_serves_one_environment_only(programs: Programs, tmp_path: Path) -> None:
    programs.write("pulumi.export('a', 1)")
    state = State(tmp_path)
    programs.deploy(state=state)

    from localaws.engine import deploy

    with pytest.raises(ValueError, match="state holds environment test"):
        deploy("other", programs.endpoint, [programs.folder / "primary"], state=state)
