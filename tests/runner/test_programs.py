"""Several programs and their settings: configuration, references between stacks, providers, functions, progress."""

from typing import Any

import pytest

from localaws.engine import DeployError, State, graph
from tests.runner.conftest import Client, Programs


def test_a_stack_reads_the_real_outputs_of_another(programs: Programs) -> None:
    programs.write(
        """
        queue = aws.sqs.Queue("q", opts=opts)
        pulumi.export("url", queue.url)
        pulumi.export("word", pulumi.Output.secret("open-sesame"))
        """
    )
    programs.write(
        """
        other = pulumi.StackReference("organization/dr-primary/test")
        pulumi.export("url", other.require_output("url"))
        pulumi.export("word", other.require_output("word"))
        pulumi.export("absent", other.get_output("absent").apply(lambda value: value is None))
        """,
        stack="global",
    )

    deployment = programs.deploy("primary", "global")

    assert deployment.outputs["global"] == {
        "url": deployment.outputs["primary"]["url"],
        "word": "[secret]",
        "absent": True,
    }
    assert deployment.secrets["global"] == {"word": "open-sesame"}


def test_one_stack_can_be_deployed_after_the_others(programs: Programs) -> None:
    programs.write("pulumi.export('a', 1)")
    programs.write(
        "pulumi.export('b', pulumi.StackReference('organization/dr-primary/test').require_output('a'))", stack="global"
    )
    programs.deploy("primary")

    assert programs.deploy("global").outputs == {"global": {"b": 1}}


def test_settings_come_from_the_project_then_the_environment_then_the_caller(programs: Programs) -> None:
    programs.write(
        """
        network, own = pulumi.Config("network"), pulumi.Config()
        pulumi.export("settings", [
            network.require("cidr"), network.require_int("zones"), network.require_object("tags"), own.require("mode"),
            pulumi.get_stack(), pulumi.get_project(), pulumi.get_organization(),
        ])
        """,
        config="config:\n  mode: plain\n  network:cidr: {default: 10.0.0.0/16, type: string}\n  network:zones: 3\n",
    )
    folder = programs.folder / "primary"
    (folder / "Pulumi.test.yaml").write_text("config:\n  network:zones: 2\n  network:tags: {a: b}\n")

    got = programs.deploy(config_overrides={"primary": {"network:cidr": "10.9.0.0/16"}}).outputs["primary"]["settings"]

    assert got == ["10.9.0.0/16", 2, {"a": "b"}, "plain", "test", "dr-primary", "organization"]


def test_an_encrypted_setting_is_refused_by_its_key(programs: Programs) -> None:
    programs.write("")
    (programs.folder / "primary" / "Pulumi.test.yaml").write_text("config:\n  db:password: {secure: v1:abc}\n")

    with pytest.raises(DeployError, match=r"db:password is encrypted in Pulumi.test.yaml"):
        programs.deploy()
    assert programs.deploy(config_overrides={"primary": {"db:password": "x"}})


def test_each_program_has_its_own_modules_and_folder(programs: Programs) -> None:
    for stack in ("primary", "secondary"):
        programs.write("from words import word\npulumi.export('word', word + open('note.txt').read())", stack=stack)
        (programs.folder / stack / "words.py").write_text(f"word = {stack!r}")
        (programs.folder / stack / "note.txt").write_text("!")

    outputs = programs.deploy("primary", "secondary").outputs

    assert outputs == {"primary": {"word": "primary!"}, "secondary": {"word": "secondary!"}}


def test_regions_and_tags_come_from_the_provider_unless_the_resource_sets_them(
    programs: Programs, client: Client
) -> None:
    programs.write(
        """
        west = aws.Provider("west", region="us-east-2", default_tags={"tags": {"Application": "dr", "Owner": "all"}})
        in_west = pulumi.ResourceOptions(provider=west)
        a = aws.sqs.Queue("a", name="places-a", tags={"Owner": "me"}, opts=in_west)
        b = aws.sqs.Queue("b", name="places-b", region="us-east-1", opts=in_west)
        pulumi.export("regions", [a.region, b.region])
        pulumi.export("arns", [a.arn, b.arn])
        pulumi.export("tags", [a.tags, a.tags_all])
        """
    )
    outputs = programs.deploy().outputs["primary"]

    west = client("sqs", "us-east-2")
    url = west.get_queue_url(QueueName="places-a")["QueueUrl"]
    assert west.list_queue_tags(QueueUrl=url)["Tags"] == {"Application": "dr", "Owner": "me"}
    assert client("sqs", "us-east-1").get_queue_url(QueueName="places-b")
    assert outputs["regions"] == ["us-east-2", "us-east-1"]
    assert [arn.split(":")[3] for arn in outputs["arns"]] == ["us-east-2", "us-east-1"]
    assert outputs["tags"] == [{"Owner": "me"}, {"Application": "dr", "Owner": "me"}]


def test_functions_of_the_provider_answer_as_aws_does(programs: Programs) -> None:
    programs.write(
        """
        ask = pulumi.InvokeOptions(provider=provider)
        zone = aws.route53.Zone("zone", name="functions.example", opts=opts)
        statement = {"actions": ["s3:GetObject", "s3:PutObject"], "resources": ["*"],
                     "conditions": [{"test": "StringEquals", "variable": "aws:RequestedRegion", "values": ["x"]}]}
        found = zone.name.apply(lambda name: aws.route53.get_zone(name=name, opts=ask).zone_id)
        pulumi.export("account", aws.get_caller_identity(opts=ask).account_id)
        pulumi.export("region", aws.get_region(opts=ask).region)
        pulumi.export("partition", aws.get_partition(opts=ask).dns_suffix)
        pulumi.export("zones", aws.get_availability_zones(state="available", opts=ask).names)
        pulumi.export("same", pulumi.Output.all(zone.zone_id, found).apply(lambda ids: ids[0] == ids[1]))
        pulumi.export("policy", json.loads(aws.iam.get_policy_document(statements=[statement], opts=ask).json))
        """
    )
    outputs = programs.deploy().outputs["primary"]

    assert outputs["account"] == "000000000000"
    assert (outputs["region"], outputs["partition"]) == ("us-east-1", "amazonaws.com")
    assert outputs["zones"][:2] == ["us-east-1a", "us-east-1b"]
    assert outputs["same"] is True
    assert outputs["policy"]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": "x"}},
        }
    ]


def test_random_values_are_made_once(programs: Programs) -> None:
    programs.write(
        """
        import pulumi_random as random
        password = random.RandomPassword(
            "p", length=20, min_upper=3, min_numeric=2, override_special="_", min_special=1)
        pulumi.export("password", password.result)
        pulumi.export("word", random.RandomString("s", length=8, special=False, upper=False).result)
        pulumi.export("id", random.RandomId("i", byte_length=4).hex)
        pulumi.export("uuid", random.RandomUuid("u").result)
        """
    )
    first, second = programs.deploy(), programs.deploy()

    password = first.secrets["primary"]["password"]
    assert first.outputs == second.outputs
    assert first.secrets == second.secrets
    assert len(password) == 20
    assert sum(letter.isupper() for letter in password) >= 3
    assert sum(letter.isdigit() for letter in password) >= 2
    assert "_" in password
    assert len(first.outputs["primary"]["id"]) == 8
    assert programs.deploy(state=State()).secrets["primary"]["password"] != password


def test_progress_is_a_line_now_and_then(programs: Programs) -> None:
    programs.write(
        'for n in range(30): aws.ssm.Parameter(f"p{n}", name=f"/progress/{n}", type="String", value="a", opts=opts)'
    )
    lines: list[str] = []

    deployment = programs.deploy(progress=lines.append)

    assert lines[0] == "primary: 1/—  pulumi:providers:aws east"
    assert lines[-1].startswith("primary: 31 resources deployed in ")
    assert len(lines) < 12
    assert deployment.resources == {"primary": 31}


class TestGraph:
    """The graph needs no AWS."""

    BODY = """
        import pulumi_random as random
        vpc = aws.ec2.Vpc("app", cidr_block="10.0.0.0/16", opts=opts)
        zones = aws.get_availability_zones(opts=pulumi.InvokeOptions(provider=provider)).names
        for zone in zones[:2]:
            aws.ec2.Subnet(f"private-{zone}", vpc_id=vpc.id, availability_zone=zone, cidr_block="10.0.0.0/24",
                opts=pulumi.ResourceOptions(provider=provider, depends_on=[vpc], ignore_changes=["tags"], protect=True))
        password = random.RandomPassword("p", length=20)
        secret = aws.ssm.Parameter("s", name="/graph/s", type="SecureString", value=password.result, opts=opts)
        pulumi.export("arn", vpc.arn)
        """

    @pytest.fixture(autouse=True)
    def _no_network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: Any) -> None:
            raise AssertionError("the graph asked a network")

        monkeypatch.setattr("socket.socket.connect", refuse)

    def rows(self, programs: Programs) -> list[dict[str, Any]]:
        programs.write(self.BODY)
        return graph("test", [programs.folder / "primary"])

    def test_it_shows_what_is_registered_with_options_and_made_up_answers(self, programs: Programs) -> None:
        rows = {row["name"]: row for row in self.rows(programs)}

        vpc, subnet = rows["app"], rows["private-us-east-1b"]
        assert vpc["region"] == subnet["region"] == "us-east-1"
        assert vpc["outputs"]["arn"].startswith("arn:aws:ec2:us-east-1:000000000000:vpc/vpc-")
        assert subnet["inputs"]["availabilityZone"] == "us-east-1b"
        assert subnet["outputs"]["vpcId"] == vpc["outputs"]["id"] == vpc["outputs"]["arn"].rpartition("/")[2]
        assert subnet["options"]["ignore_changes"] == ["tags"]
        assert subnet["options"]["protect"] is True
        assert vpc["urn"] in subnet["options"]["depends_on"]
        assert subnet["provider"] == rows["east"]["urn"]
        assert (
            rows["s"]["inputs"]["value"]
            == rows["s"]["outputs"]["value"]
            == rows["p"]["outputs"]["result"]
            == "[secret]"
        )
        assert rows["dr-primary-test"]["outputs"] == {"arn": vpc["outputs"]["arn"]}

    def test_it_is_the_same_every_time(self, programs: Programs) -> None:
        assert self.rows(programs) == self.rows(programs)

    def test_it_refuses_a_value_that_aws_would_not_take(self, programs: Programs) -> None:
        programs.write('aws.ssm.Parameter("one", name="", type="String", value="a", opts=opts)')

        with pytest.raises(DeployError, match="Invalid length for parameter Name"):
            graph("test", [programs.folder / "primary"])
