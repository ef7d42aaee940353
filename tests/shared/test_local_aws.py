"""The plan that the embedded AWS deploys."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from shared import local_aws
from shared.settings import SettingsError


def test_the_plan_names_programs_regions_and_the_clients_key() -> None:
    plan = json.loads(json.dumps(local_aws.plan("dev", client_key="k" * 40)))

    assert [Path(folder).name for folder in plan["programs"]] == ["primary", "secondary", "global"]
    assert plan["regions"] == {"us-east-1": "primary", "us-east-2": "secondary"}
    assert plan["config"]["secondary"] == {"api:clientKeys": {"rehearsal": "k" * 40}}
    assert "api:clientKeys" in plan["secret_keys"]
    assert plan["metadata"] == {"client_key": "k" * 40, "deployed_by": "localaws"}


def test_settings_that_cannot_be_deployed_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "global"
    folder.mkdir()
    (folder / "Pulumi.bad.yaml").write_text("config:\n  dr:secondaryRegion: us-east-1\n")

    with pytest.raises(SettingsError, match="dr:secondaryRegion is us-east-1, the same as dr:primaryRegion"):
        local_aws.plan("bad", stacks=tmp_path)


def test_other_commands_reach_the_embedded_aws_as_they_are(tmp_path: Path) -> None:
    words = ["status", "--directory", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", "shared.local_aws", *words], capture_output=True, text=True)

    assert done.returncode == 2
    assert done.stderr.startswith(f"no embedded AWS runs in {tmp_path}")
