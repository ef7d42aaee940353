"""The table of `docs/quotas.md`: AWS's default quotas and the number that an environment registers.

`python -m tests.docs.quota_table` regenerates it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.docs.pages import ROOT
from tests.programs.profiles import registered

PAGE = ROOT / "docs" / "quotas.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
PROFILES = ("dev", "prod")
Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Quota:
    service: str
    what: str
    default: str
    type: str  # Pulumi type token; only resources with `inputs`, if given
    per: Literal["region", "account"] = "region"
    inputs: Mapping[str, Any] | None = None
    code: str = ""  # in Service Quotas, if `make doctor` checks it

    def used(self, rows: Rows) -> int:
        """The number that one environment uses, in the region where it is highest."""
        found = [row for row in rows if row["type"] == self.type and self._fits(row["inputs"])]
        if self.per == "account":
            return len(found)
        return max(Counter(row["region"] for row in found).values(), default=0)

    def _fits(self, inputs: Mapping[str, Any]) -> bool:
        return all(inputs.get(key) == value for key, value in (self.inputs or {}).items())


QUOTAS = (
    Quota(service="Amazon VPC", what="VPCs", default="5", type="aws:ec2/vpc:Vpc", code="L-F678F1CE"),
    Quota(service="Amazon VPC", what="Elastic IP addresses", default="5", type="aws:ec2/eip:Eip", code="L-0263D0A3"),
    Quota(
        service="Amazon VPC",
        what="gateway endpoints",
        default="20",
        type="aws:ec2/vpcEndpoint:VpcEndpoint",
        inputs={"vpcEndpointType": "Gateway"},
    ),
    Quota(
        service="Elastic Load Balancing",
        what="Network Load Balancers",
        default="50",
        type="aws:lb/loadBalancer:LoadBalancer",
        inputs={"loadBalancerType": "network"},
        code="L-69A177A2",
    ),
    Quota(
        service="Elastic Load Balancing",
        what="Application Load Balancers",
        default="50",
        type="aws:lb/loadBalancer:LoadBalancer",
        inputs={"loadBalancerType": "application"},
        code="L-53DA6B97",
    ),
    Quota(
        service="Global Accelerator",
        what="standard accelerators",
        default="20",
        type="aws:globalaccelerator/accelerator:Accelerator",
        per="account",
    ),
    Quota(
        service="Route 53",
        what="hosted zones",
        default="500",
        type="aws:route53/zone:Zone",
        per="account",
    ),
    Quota(
        service="Route 53",
        what="health checks",
        default="200",
        type="aws:route53/healthCheck:HealthCheck",
        per="account",
    ),
    Quota(
        service="Aurora",
        what="DB clusters",
        default="40",
        type="aws:rds/cluster:Cluster",
        code="L-952B80B8",
    ),
    Quota(service="Aurora", what="DB instances", default="40", type="aws:rds/clusterInstance:ClusterInstance"),
    Quota(
        service="Aurora",
        what="cluster parameter groups",
        default="50",
        type="aws:rds/clusterParameterGroup:ClusterParameterGroup",
    ),
    Quota(
        service="AWS WAF",
        what="web ACLs",
        default="100",
        type="aws:wafv2/webAcl:WebAcl",
    ),
    Quota(
        service="EventBridge",
        what="event buses (the classic kind)",
        default="100",
        type="aws:cloudwatch/eventBus:EventBus",
    ),
    Quota(
        service="EventBridge",
        what="global endpoints",
        default="100",
        type="aws:cloudwatch/eventEndpoint:EventEndpoint",
    ),
    Quota(
        service="IAM",
        what="roles",
        default="1,000",
        type="aws:iam/role:Role",
        per="account",
    ),
)


def table() -> str:
    rows = {profile: registered(profile) for profile in PROFILES}
    lines = [
        "| Service | Quota | Default | `dev` uses | `prod` uses | Per | Checked by `make doctor` |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in QUOTAS:
        used = " | ".join(str(each.used(rows[profile])) for profile in PROFILES)
        code = f"`{each.code}`" if each.code else "-"
        lines.append(f"| {each.service} | {each.what} | {each.default} | {used} | {each.per} | {code} |")
    return "\n".join(lines)


def written(page: Path = PAGE) -> str:
    """The table in the page."""
    return page.read_text().partition(BEGIN)[2].partition(END)[0].strip()


if __name__ == "__main__":
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}")
