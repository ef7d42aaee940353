"""A deployment in a child process: what the parent knows afterwards."""

import multiprocessing
import sys

import pytest

from localaws.engine import DeployError, Deployment, deploy_in_child
from tests.runner.conftest import Client, Programs

PARAMETER = """
import child_marker
secret = pulumi.Output.secret("hidden")
parameter = aws.ssm.Parameter("one", name="/child/one", type="SecureString", value=secret, opts=opts)
pulumi.export("version", parameter.version)
pulumi.export("password", secret)
"""


def deploy(programs: Programs, lines: list[str] | None = None) -> Deployment:
    return deploy_in_child(
        "test",
        programs.endpoint,
        [programs.folder / "primary"],
        progress=None if lines is None else lines.append,
        state=programs.state,
    )


def test_outputs_secrets_progress_and_state_reach_the_parent_and_modules_do_not(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(programs.folder)
    (programs.folder / "child_marker.py").write_text("")
    programs.write(PARAMETER)
    lines: list[str] = []

    done = deploy(programs, lines)

    assert done.outputs["primary"] == {"version": 1, "password": "[secret]"}
    assert done.secrets["primary"] == {"password": "hidden"}
    assert done.state is programs.state
    assert lines
    assert "child_marker" not in sys.modules
    assert not multiprocessing.active_children()
    assert len(programs.deploy(state=done.state).changes) == 0, "the state knows what the child deployed"


def test_what_a_failed_deployment_created_is_in_the_state(programs: Programs, client: Client) -> None:
    programs.write(
        """
        first = aws.ssm.Parameter("one", name="/child/two", type="String", value="a", opts=opts)
        aws.lambda_.Permission("two", action="lambda:InvokeFunction", function="missing", principal="s3.amazonaws.com",
            opts=pulumi.ResourceOptions(provider=provider, depends_on=[first]))
        """
    )

    with pytest.raises(DeployError, match=r"primary: urn:.*::two: lambda:add_permission") as refused:
        deploy(programs)

    assert refused.value.stack == "primary"
    assert [urn.rpartition("::")[2] for urn in programs.state.stacks["primary"].resources] == ["one"]
    programs.destroy()
    with pytest.raises(client("ssm").exceptions.ParameterNotFound):
        client("ssm").get_parameter(Name="/child/two")


def test_a_child_that_ends_is_an_error(programs: Programs) -> None:
    programs.write("import os\nos._exit(7)\n")

    with pytest.raises(DeployError, match="the deploying process ended with 7"):
        deploy(programs)
