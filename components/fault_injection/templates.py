"""Templates of AWS Fault Injection Service for a region, off by default (`drill:faultInjection`), and their experiments
as data [FIS-1].

Left out, each for its reason:
- `aws:network:disrupt-connectivity` with scope `all`, which isolates a region's functions. Every alarm of that region
  goes off by design, and FIS supports alarms of its own region only: no alarm could end it. The drill's evacuation and
  the outage of the embedded AWS rehearse the loss.
- `aws:rds:failover-db-cluster`, which promotes a reader of the same cluster (API RDS.FailoverDBCluster): the members
  have a writer or a reader, never both. A restart has the same visible effect: an instance that goes away.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam
from components.fault_injection import role as fault_injection_role
from components.fault_injection.role import Reach
from shared.naming import Names
from shared.places import Place
from shared.references import RegionHandle
from shared.settings import GlobalSettings

BUCKET_TAG = "FaultInjection"
"""Marks the bucket whose replication may be paused: FIS finds buckets by their tags only."""
_STOP_ALARMS = ("alb-5xx", "api-5xx", "nlb-unhealthy")
MOST_STOP_ALARMS = 5  # [FIS-2]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One action on one target. A region stays in service meanwhile, or its alarms end the experiment."""

    key: str
    description: str
    action: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    to_peer: bool = False  # whether the peer region is a parameter of the action
    resource_type: str
    target: str  # the action's own word for what it acts on


EXPERIMENTS = (
    Experiment(
        key="isolation",
        # Needs a quota: 250 routes per route table, 350 where the other region is us-east-1, besides our own.
        description="Functions cannot reach the other region: payments go on with one region's journal",
        action="aws:network:route-table-disrupt-cross-region-connectivity",
        parameters={"duration": "PT10M"},
        to_peer=True,
        resource_type="aws:ec2:subnet",
        target="Subnets",
    ),
    Experiment(
        key="journal-replication",
        description="The table does not replicate: control records and repairs reach the other region late",
        action="aws:dynamodb:global-table-pause-replication",
        # It may go on for five minutes after the pause begins.
        parameters={"duration": "PT20M"},
        resource_type="aws:dynamodb:global-table",
        target="Tables",
    ),
    Experiment(
        key="bucket-replication",
        description="Objects do not reach the other region's bucket",
        action="aws:s3:bucket-pause-replication",
        # It may go on for an hour after the pause begins.
        parameters={"duration": "PT2H"},
        to_peer=True,
        resource_type="aws:s3:bucket",
        target="Buckets",
    ),
    Experiment(
        key="database-restart",
        description="The member's instance restarts: the ledger waits, payments go on",
        action="aws:rds:reboot-db-instances",
        resource_type="aws:rds:db",
        target="DBInstances",
    ),
)


def stop_alarms(names: Names, place: Place) -> list[str]:
    """Names of the region's alarms that end an experiment: clients are refused. Metric alarms, since FIS does
    not document that it supports composite ones [FIS-3]."""
    return [f"{names.regional('alarm', place)}-{each}" for each in _STOP_ALARMS]


def bucket_tag(names: Names, place: Place) -> dict[str, str]:
    """The tag of that place's bucket, and of no other."""
    return {BUCKET_TAG: names.regional("bucket", place)}


LOG_SCHEMA = 2  # [FIS-4]
LOG_DAYS = 90


@dataclass(frozen=True, kw_only=True)
class FaultInjectionArgs:
    settings: GlobalSettings
    region: RegionHandle
    peer_region: str


class FaultInjection(pulumi.ComponentResource):
    """One template for each experiment, one role for all, and a log, in the region whose provider is given.

    A template costs nothing and does nothing; an experiment is started by an operator, costs 0.10 USD for each minute
    of an action [FIS-8], and ends by itself. It is stopped at once when the region's alarms show that requests fail.
    They must be alarms of the experiment's own region: FIS accepts an ARN of another one, and then cancels the
    experiment when it starts. Deploy nothing meanwhile: FIS changes route tables, replication rules and table policies,
    and Pulumi would see drift."""

    template_ids: dict[str, pulumi.Output[str]]  # by the experiment's key

    def __init__(self, name: str, args: FaultInjectionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:drill:FaultInjection", name, None, opts)
        self._prefix, self._args, self._names = name, args, args.settings.names
        self._place, self._outputs = args.region.place, args.region.outputs
        self._child = pulumi.ResourceOptions(parent=self)
        self._reach = Reach(
            region=args.region.region,
            peer_region=args.peer_region,
            account=self._outputs.account,
            vpc_id=self._outputs.network.vpc_id,
            journal_table=self._names.journal_table,
            bucket_arn=self._outputs.storage.bucket_arn,
            instance=self._names.regional("aurora-1", self._place),
            environment=args.settings.environment,
            place=str(self._place),
        )
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            # As for state machines: with this prefix many groups share one line of the account's log policy.
            name=f"/aws/vendedlogs/fis/{self._names.regional('fault-injection', self._place)}",
            retention_in_days=LOG_DAYS,
            kms_key_id=self._outputs.storage.data_key_arn,
            opts=self._child,
        )
        role, policy = iam.service_role(
            name,
            name=self._names.regional("role-fault-injection", self._place),
            # Of this account and its experiments only [FIS-5].
            trust=iam.trust_for(
                "fis.amazonaws.com", account=self._outputs.account, source=self._reach.arn("fis", "experiment/*")
            ),
            statements=lambda _: fault_injection_role.statements(self._reach),
            opts=self._child,
        )
        self.template_ids = {each.key: self._template(each, role, policy, logs).id for each in EXPERIMENTS}
        self.register_outputs({})

    def _template(
        self,
        experiment: Experiment,
        role: aws.iam.Role,
        policy: aws.iam.RolePolicy,
        logs: aws.cloudwatch.LogGroup,
    ) -> aws.fis.ExperimentTemplate:
        parameters = dict(experiment.parameters) | ({"region": self._args.peer_region} if experiment.to_peer else {})
        target: Any = {
            "name": experiment.key,
            "resource_type": experiment.resource_type,
            "selection_mode": "ALL",
            **self._targets()[experiment.resource_type],
        }
        return aws.fis.ExperimentTemplate(
            f"{self._prefix}-{experiment.key}",
            description=experiment.description,
            role_arn=role.arn,
            actions=[
                {
                    "name": experiment.key,
                    "action_id": experiment.action,
                    "parameters": [{"key": key, "value": value} for key, value in sorted(parameters.items())],
                    "target": {"key": experiment.target, "value": experiment.key},
                }
            ],
            targets=[target],
            stop_conditions=[
                {"source": "aws:cloudwatch:alarm", "value": self._reach.arn("cloudwatch", f"alarm:{alarm}")}
                for alarm in stop_alarms(self._names, self._place)
            ],
            # An experiment without targets would look like one that was survived.
            experiment_options={"account_targeting": "single-account", "empty_target_resolution_mode": "fail"},
            log_configuration={
                "log_schema_version": LOG_SCHEMA,
                "cloudwatch_logs_configuration": {"log_group_arn": pulumi.Output.concat(logs.arn, ":*")},
            },
            tags={"Name": self._names.regional(f"experiment-{experiment.key}", self._place)},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _targets(self) -> Mapping[str, Mapping[str, Any]]:
        region, subnet_ids = self._args.region.region, self._outputs.network.private_subnet_ids
        subnets = pulumi.Output.all(self._outputs.account, subnet_ids).apply(
            lambda known: [f"arn:aws:ec2:{region}:{known[0]}:subnet/{each}" for each in known[1]]
        )
        tags = bucket_tag(self._names, self._place)
        return {
            "aws:ec2:subnet": {"resource_arns": subnets},
            "aws:dynamodb:global-table": {
                "resource_arns": [self._reach.arn("dynamodb", f"table/{self._names.journal_table}")]
            },
            "aws:s3:bucket": {"resource_tags": [{"key": key, "value": value} for key, value in tags.items()]},
            "aws:rds:db": {"resource_arns": [fault_injection_role.instance_arn(self._reach)]},
        }
