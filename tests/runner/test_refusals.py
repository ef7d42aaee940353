"""Refusals of the runner: errors name stack, resource and operation, and contain no secret."""

import pytest

from localaws.engine import DeployError
from tests.runner.conftest import Client, Programs


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "aws.xray.Group('g', group_name='g', filter_expression='x', opts=opts)",
            "aws:xray/group:Group is not in the table",
        ),
        (
            "aws.lb.LoadBalancer('l', minimum_load_balancer_capacity={'capacity_units': 1}, opts=opts)",
            "aws:lb/loadBalancer:LoadBalancer: no call takes minimumLoadBalancerCapacity",
        ),
        (
            "aws.sns.Topic('t', archive_policy='{}', opts=opts)",
            "aws:sns/topic:Topic: no call takes archivePolicy",
        ),
        (
            "aws.lb.TargetGroup('t', target_type='lambda', stickiness={'type': 'lb_cookie', 'enabled': True, "
            "'cookie_duration': 5}, health_check={'enabled': True, 'mystery': 1}, opts=opts)",
            "aws:lb/targetGroup:TargetGroup: no call takes healthCheck.mystery",
        ),
        (
            "aws.fis.ExperimentTemplate('f', description='f', role_arn='arn:aws:iam::000000000000:role/r', "
            "stop_conditions=[{'source': 'none'}], actions=[{'name': 'w', 'action_id': 'aws:fis:wait'}], opts=opts)",
            "aws:fis/experimentTemplate:ExperimentTemplate: .* set drill:faultInjection to false here",
        ),
        (
            "aws.arcregionswitch.Plan('p', name='p', execution_role='arn:aws:iam::000000000000:role/r', "
            "recovery_approach='activePassive', regions=['us-east-1', 'us-east-2'], workflows=[], opts=opts)",
            "aws:arcregionswitch/plan:Plan: .* set drill:regionSwitch to false here",
        ),
        ("aws.sqs.Queue('q')", "q would land in the default provider"),
        ("aws.get_region()", "has no provider"),
        ("aws.get_ip_ranges(services=['x'], opts=pulumi.InvokeOptions(provider=provider))", "getIpRanges.* not known"),
        ("aws.sqs.Queue('q', opts=opts); aws.sqs.Queue('q', opts=opts)", "registered twice"),
        ("pulumi.StackReference('organization/dr-primary/other')", 'unknown stack "organization/dr-primary/other"'),
        ("aws.sqs.Queue.get('q', 'url', opts=opts)", "existing resources are not read here"),
        (
            "aws.sqs.Queue('q', opts=pulumi.ResourceOptions(provider=provider, import_='url'))",
            "importing is not done here",
        ),
        ("aws.Provider('p', region='us-east-1', allowed_account_ids=['111111111111'])", "AWS account ID not allowed"),
        ("raise ValueError('network:cidr is too small')", "program: ValueError: network:cidr is too small"),
        ("pulumi.Config('network').require('cidr')", "ConfigMissingError"),
        (
            "aws.lambda_.Function('f', role='r', runtime='python3.13', handler='h.h', "
            "code=pulumi.FileArchive('./nowhere'), opts=opts)",
            "nowhere",
        ),
    ],
)  # fmt: skip
def test_a_program_that_cannot_be_carried_out_is_refused_by_name(programs: Programs, body: str, message: str) -> None:
    programs.write(body)

    with pytest.raises(DeployError, match=message) as failure:
        programs.deploy()
    assert failure.value.stack == "primary"


def test_two_resources_of_one_name_under_different_parents_are_two(programs: Programs) -> None:
    programs.write(
        """
        class Pair(pulumi.ComponentResource):
            def __init__(self, name):
                super().__init__("test:pair:Pair", name, None, pulumi.ResourceOptions(providers=[provider]))
                aws.sqs.Queue(f"{name}-q", opts=pulumi.ResourceOptions(parent=self))
        Pair("a")
        Pair("b")
        """
    )
    deployment = programs.deploy()

    assert [urn.split("::")[2] for urn in deployment.changes.created] == ["test:pair:Pair$aws:sqs/queue:Queue"] * 2


def test_a_failure_never_shows_a_secret(programs: Programs) -> None:
    programs.write(
        """
        word = pulumi.Output.secret("open-sesame")
        aws.iam.RolePolicy("one", role=word, policy="{}", opts=opts)
        """
    )
    with pytest.raises(DeployError) as failure:
        programs.deploy()

    assert "open-sesame" not in str(failure.value)
    assert "[secret]" in str(failure.value)
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__


def test_the_users_aws_settings_are_left_alone(
    programs: Programs, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssm = client("ssm")
    for name, value in {
        "AWS_PROFILE": "nobody",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "bogus",
        "AWS_SESSION_TOKEN": "bogus",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_SSM": "http://127.0.0.1:1",
        "AWS_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_CA_BUNDLE": "/nowhere",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    programs.write('aws.ssm.Parameter("one", name="/refused/env", type="String", value="a", opts=opts)')

    programs.deploy()

    assert ssm.get_parameter(Name="/refused/env")["Parameter"]["ARN"].split(":")[3] == "us-east-1"
