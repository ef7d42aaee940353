"""Refuses a plan that replaces or deletes what holds data, or that changes an environment's identity.

Each resource and each setting has to be agreed to by name. Nothing is asked about a first deployment, or about what a
plan creates and updates.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.rollout.plan import DELETED, Loss, Plan
from shared.command_line import Refused
from shared.places import Place
from shared.settings import EnvironmentSettings

HOLDS_DATA: Mapping[str, str] = {
    "aws:backup/vault:Vault": "recovery points",
    "aws:dynamodb/table:Table": "the journal, or the backlog of payments",
    "aws:globalaccelerator/accelerator:Accelerator": "the addresses that clients use",
    "aws:kms/key:Key": "what reads everything encrypted with it",
    "aws:rds/cluster:Cluster": "the ledger",
    "aws:rds/clusterInstance:ClusterInstance": "a member of the ledger's cluster",
    "aws:rds/globalCluster:GlobalCluster": "the ledger in both regions",
    "aws:route53/zone:Zone": "the name servers that the parent zone names",
    "aws:s3/bucket:Bucket": "objects",
    "aws:secretsmanager/secret:Secret": "a secret",
    "aws:sqs/queue:Queue": "messages that nobody has received",
}
"""Types of resources that a new one does not stand in for, and what is lost with the old one. Log groups are not among
them: logs are kept for `logs:retentionDays` only."""

_ENGINE = "database:engine"
_CIDRS = {Place.PRIMARY: "network:primaryCidr", Place.SECONDARY: "network:secondaryCidr"}
_REGIONS = {Place.PRIMARY: "dr:primaryRegion", Place.SECONDARY: "dr:secondaryRegion"}


@dataclass(frozen=True)
class IdentityChange:
    """A setting that an environment keeps for its whole life."""

    setting: str
    deployed: str
    chosen: str

    def __str__(self) -> str:
        return f"{self.setting}: deployed with {self.deployed}, now {self.chosen}"


def identity_changes(settings: EnvironmentSettings, outputs: Mapping[str, Mapping[str, Any]]) -> list[IdentityChange]:
    """The changes that `settings` make to the identity of the deployed stacks, whose `outputs` are by stack."""
    found = {}
    for stack, deployed in outputs.items():
        kept = {"dr:suffix": (deployed.get("suffix"), settings.suffix)}
        if stack in (*Place,):
            place = Place(stack)
            kept[_REGIONS[place]] = (deployed.get("region"), settings.region(place))
            kept[_CIDRS[place]] = ((deployed.get("network") or {}).get("cidr"), settings.cidr(place))
        for setting, (before, now) in kept.items():
            if before not in (None, now):
                found[setting] = IdentityChange(setting, str(before), now)
    return list(found.values())


def refuse(
    plans: Sequence[Plan],
    identity: Sequence[IdentityChange],
    allowed: Collection[str],
    *,
    environment: str,
    again: str,
) -> None:
    """Raises Refused with everything that is not in `allowed`: names of resources and of settings.

    `again` is the command to repeat with these names.
    """
    lost = [loss for plan in plans for loss in plan.losses if _holds_data(loss)]
    engine = next((loss for loss in lost if "engine" in loss.because and loss.type.startswith("aws:rds/")), None)
    lines = [f"{loss}; it holds {HOLDS_DATA[loss.type]}" for loss in lost if loss.name not in allowed]
    changed = [change for change in identity if change.setting not in allowed]
    lines += map(str, changed)
    names = {loss.name for loss in lost} | {change.setting for change in identity}
    if engine is not None:
        names.add(_ENGINE)
        if _ENGINE not in allowed:
            lines.append(f"{_ENGINE}: a cluster with another engine is a new one")
    if not lines:
        return
    listed = "\n".join(f"  {line}" for line in lines)
    raise Refused(
        f"the plan replaces or deletes what holds data, or changes the identity of {environment}:\n{listed}\n"
        "Undo the change, or deploy another environment beside this one and transfer the data "
        "(docs/runbooks/add-environment.md, docs/runbooks/restore.md). To go on all the same, agree to each by name: "
        f'{again} ALLOW="{" ".join(sorted(names))}"'
    )


def _holds_data(loss: Loss) -> bool:
    return loss.type in HOLDS_DATA and not (loss.how == DELETED and loss.retained)
