"""Outputs of an environment, made by hand, and a stand-in for the Pulumi CLI that prints them."""

import json
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.outputs import GlobalOutputs, RegionOutputs

ACCOUNT = "111122223333"
REGIONS = {"primary": "eu-west-1", "secondary": "eu-central-1"}

_CLI = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
words = sys.argv[1:]
with (here / "asked").open("a") as asked:
    asked.write(json.dumps(words) + "\\n")
folder = pathlib.Path(words[words.index("--cwd") + 1]).name
answer = json.loads((here / (folder + ".json")).read_text())
print(answer["stdout"])
print(answer["stderr"], file=sys.stderr)
sys.exit(answer["status"])
"""


def outputs(
    changes: Mapping[str, Mapping[str, Any]] | None = None, *, account: str = ACCOUNT
) -> dict[str, dict[str, Any]]:
    """The outputs of the three stacks of environment `dev`; `changes` are by stack and dotted name."""
    made: dict[str, dict[str, Any]] = {
        place: made_up(
            RegionOutputs,
            {
                "place": place,
                "region": region,
                "suffix": "dev",
                "ingress.service_name": "pay.example.com",
                "ingress.nlb_dns_name": f"nlb-{place}.example.com",
                "ingress.nlb_arn": f"arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/net/nlb-{place}/1",
                "storage.bucket_arn": f"arn:aws:s3:::bucket-{place}-dev",
                "ingress.certificate_arn": f"arn:aws:acm:{region}:{account}:certificate/1",
                "ingress.certificate_pem": f"-----{place}-----",
                "ingress.api_url": f"https://{place}.example.com/live",
            }
            | dict((changes or {}).get(place, {})),
        )
        for place, region in REGIONS.items()
    }
    known = {
        "suffix": "dev",
        "accelerator_dns_name": "accelerator.example.com",
        "accelerator_arn": f"arn:aws:globalaccelerator::{account}:accelerator/1",
        "primary_cluster_arn": f"arn:aws:rds:{REGIONS['primary']}:{account}:cluster:aurora-primary-dev",
        "secondary_cluster_arn": f"arn:aws:rds:{REGIONS['secondary']}:{account}:cluster:aurora-secondary-dev",
    }
    made["global"] = made_up(GlobalOutputs, known | dict((changes or {}).get("global", {})))
    return made


def made_up(contract: type[RegionOutputs[Any, Any]] | type[GlobalOutputs[Any, Any]], known: Mapping[str, Any]) -> Any:
    """Outputs that a contract promises, as plain data: those in `known`, by dotted name, and "any" for the rest."""
    return contract.build(lambda path: known.get(".".join(path), "any")).to_plain()


class PulumiCli:
    """`pulumi` in a folder of its own: it records its arguments and prints the configured answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "pulumi"
        program.write_text(_CLI.format(python=sys.executable))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        for stack, values in outputs().items():
            self.answers(stack, json.dumps(values))

    def answers(self, stack: str, stdout: str = "", *, stderr: str = "", status: int = 0) -> None:
        answer = {"stdout": stdout, "stderr": stderr, "status": status}
        (self.folder / f"{stack}.json").write_text(json.dumps(answer))

    @property
    def asked(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "asked").read_text().splitlines()]
