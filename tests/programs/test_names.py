"""Names with the longest suffix: each within its service's limit, and none that another environment has too."""

import re
from functools import cache
from typing import Any

import pytest

from localaws.engine import graph
from policy.rules.names import NAME_KEYS, suffix_required
from shared.local_aws import PROGRAMS
from tests.programs.profiles import OPTIONS, overrides

LONGEST, TAIL = "dr-prod-long", "prod-long"
_WORD = r"[A-Za-z0-9_-]"
_HYPHENATED = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
# What the services' API references accept as a name; with a lookahead where the pattern itself has no length.
PATTERNS = {
    "apigateway/apiKey:ApiKey": r".{1,255}",
    "apigateway/restApi:RestApi": r".{1,255}",
    "apigateway/usagePlan:UsagePlan": r".{1,255}",
    "arcregionswitch/plan:Plan": rf"{_WORD}{{1,32}}",
    "backup/plan:Plan": rf"{_WORD}{{1,50}}",
    "backup/restoreTestingPlan:RestoreTestingPlan": r"[A-Za-z0-9_]{1,50}",  # [BACKUP-9]
    "backup/restoreTestingSelection:RestoreTestingSelection": r"[A-Za-z0-9_]{1,50}",
    "backup/selection:Selection": rf"{_WORD}{{1,50}}",
    "backup/vault:Vault": rf"{_WORD}{{2,50}}",
    "cloudwatch/compositeAlarm:CompositeAlarm": r".{1,255}",
    "cloudwatch/dashboard:Dashboard": rf"{_WORD}{{1,255}}",
    "cloudwatch/eventBus:EventBus": rf"{_WORD}{{1,256}}",
    "cloudwatch/eventEndpoint:EventEndpoint": rf"{_WORD}{{1,64}}",
    "cloudwatch/eventRule:EventRule": rf"{_WORD}{{1,64}}",
    "cloudwatch/logGroup:LogGroup": r"[A-Za-z0-9_/.#-]{1,512}",
    "cloudwatch/metricAlarm:MetricAlarm": r".{1,255}",
    "dynamodb/table:Table": rf"{_WORD}{{3,255}}",
    "ec2/securityGroup:SecurityGroup": r"(?!sg-)[A-Za-z0-9 ._:/()#,@+=&;{}!$*\[\]-]{1,255}",
    "globalaccelerator/accelerator:Accelerator": r"[A-Za-z0-9.-]{1,64}",
    "iam/policy:Policy": rf"{_WORD}{{1,128}}",
    "iam/role:Role": rf"{_WORD}{{1,64}}",
    "iam/rolePolicy:RolePolicy": rf"{_WORD}{{1,128}}",
    "kms/alias:Alias": r"alias/[A-Za-z0-9/_-]{1,250}",
    "lambda/function:Function": rf"{_WORD}{{1,64}}",
    "lambda/layerVersion:LayerVersion": rf"{_WORD}{{1,140}}",
    "lb/loadBalancer:LoadBalancer": r"(?!-)[A-Za-z0-9-]{1,32}(?<!-)",
    "lb/targetGroup:TargetGroup": r"(?!-)[A-Za-z0-9-]{1,32}(?<!-)",
    "rds/cluster:Cluster": rf"(?=.{{1,63}}$){_HYPHENATED}",
    "rds/clusterInstance:ClusterInstance": rf"(?=.{{1,63}}$){_HYPHENATED}",
    "rds/clusterParameterGroup:ClusterParameterGroup": rf"(?=.{{1,255}}$){_HYPHENATED}",
    "rds/globalCluster:GlobalCluster": rf"(?=.{{1,63}}$){_HYPHENATED}",
    "rds/subnetGroup:SubnetGroup": rf"(?=.{{1,255}}$){_HYPHENATED}",
    "s3/bucket:Bucket": rf"(?=.{{3,63}}$){_HYPHENATED}",
    "scheduler/schedule:Schedule": rf"{_WORD}{{1,64}}",
    "secretsmanager/secret:Secret": r"[A-Za-z0-9/_+=.@-]{1,512}",
    "sfn/stateMachine:StateMachine": rf"{_WORD}{{1,80}}",
    "sns/topic:Topic": rf"{_WORD}{{1,256}}",
    "sqs/queue:Queue": rf"{_WORD}{{1,80}}",
    "ssm/parameter:Parameter": r"/[A-Za-z0-9/_.-]{1,1010}",
    "wafv2/webAcl:WebAcl": rf"{_WORD}{{1,128}}",
}
# ACM's proofs begin with an underscore.
HOST = r"(?=.{1,253}$)([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}\.?"
PATTERNS |= dict.fromkeys(("route53/zone:Zone", "route53/record:Record", "apigateway/domainName:DomainName"), HOST)


@cache
def registered(suffix: str) -> list[dict[str, Any]]:
    """Everything that the programs can register, under a suffix."""
    given = overrides(OPTIONS)
    rows = graph(
        OPTIONS, PROGRAMS, config_overrides={stack: {**values, "dr:suffix": suffix} for stack, values in given.items()}
    )
    return [row for row in rows if row["type"].startswith("aws:")]


def names(suffix: str) -> list[tuple[str, str]]:
    """Type, without its prefix, and name; once for each resource that has one."""
    return [
        (row["type"].removeprefix("aws:"), row["inputs"][key])
        for row in registered(suffix)
        for key in NAME_KEYS
        if key in row["inputs"]
    ]


def test_every_name_is_one_that_its_service_accepts() -> None:
    found = [(kind, name) for kind, name in names(LONGEST) if not re.match(r"s3/bucket[A-Z]", kind)]

    assert {kind for kind, _ in found} <= set(PATTERNS), "a new type of resource needs its pattern here"
    assert not [(kind, name) for kind, name in found if not re.fullmatch(PATTERNS[kind], name)]


def test_no_name_had_to_be_cut() -> None:
    """A cut name ends in a hash instead of the suffix."""
    assert not suffix_required([{**row, "suffix": LONGEST} for row in registered(LONGEST)])


def test_environments_whose_suffixes_end_alike_share_no_name() -> None:
    both = {
        suffix: {(kind, name) for kind, name in names(suffix) if LONGEST in name or TAIL in name}
        for suffix in (LONGEST, TAIL)
    }

    assert all(both.values())
    assert not both[LONGEST] & both[TAIL]


@pytest.mark.parametrize("suffix", [LONGEST, TAIL])
def test_a_log_group_of_a_region_ends_in_its_place_and_suffix(suffix: str) -> None:
    """By which a sweep finds them, and no other environment's."""
    groups = [row for row in registered(suffix) if row["type"] == "aws:cloudwatch/logGroup:LogGroup"]
    regional = {(row["stack"], row["inputs"]["name"]) for row in groups if row["stack"] != "global"}

    assert regional
    assert not [name for place, name in regional if not name.endswith(f"-{place}-{suffix}")]
    other = TAIL if suffix == LONGEST else LONGEST
    assert not [name for place, name in regional if name.endswith(f"-{place}-{other}")]
