"""A plan of ARC Region switch (Amazon Application Recovery Controller), in addition to the state machines.

Optional (`drill:regionSwitch`), for those who have all of their applications switched by ARC. A plan costs 70 USD a
month, executed or not [ARC-4] (decision 0009). It evacuates a region on purpose, without loss, while both are up. It
cannot handle the loss of a region: in an ungraceful execution ARC skips Lambda steps [ARC-1], so that nothing is fenced
or verified. It has no trigger here; the sentinel handles a lost region.
"""

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components import iam
from components.database.global_database import Database
from components.workload.recovery import FENCE, PROVE, step_label
from shared.naming import Names
from shared.places import Place
from shared.references import Regions

OBJECTIVE = 15
"""Minutes that ARC measures an execution against."""
# In minutes, the last also between two calls of a step that has not succeeded.
_FENCE, _DATABASE, _PROVE, _AGAIN = 5, 30, 45, 0.5
NAME_LIMIT = 32  # API ARCRegionSwitch.CreatePlan


@dataclass(frozen=True, kw_only=True)
class RegionSwitchArgs:
    names: Names
    regions: Regions
    database: Database


class RegionSwitch(pulumi.ComponentResource):
    """One plan with a workflow to activate each region: fence the other, move the database, prove a payment. Traffic
    follows by health, so there is no step for it."""

    plan_arn: pulumi.Output[str]

    def __init__(self, name: str, args: RegionSwitchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:drill:RegionSwitch", name, None, opts)
        self._prefix, self._args = name, args
        self._account = args.regions[Place.PRIMARY].outputs.account
        self._child = pulumi.ResourceOptions(parent=self)
        self._plan_name = args.names.shared("region-switch", limit=NAME_LIMIT)
        role, policy = iam.service_role(
            name,
            name=args.names.shared("role-region-switch"),
            trust=iam.trust("arc-region-switch.amazonaws.com"),
            statements=lambda role_arn: [*self._of_the_plan(role_arn), *self._of_its_steps()],
            opts=self._child,
        )
        plan = aws.arcregionswitch.Plan(
            f"{name}-plan",
            name=self._plan_name,
            description="Leaves a region on purpose: fence it, move the database without loss, prove a payment",
            execution_role=role.arn,
            # Only one region's member of the database writes, in either traffic mode.
            recovery_approach="activePassive",
            regions=[args.regions[place].region for place in Place],
            primary_region=args.regions[Place.PRIMARY].region,
            recovery_time_objective_minutes=OBJECTIVE,
            associated_alarms=[
                {
                    "map_block_key": f"{place}-serves",
                    "alarm_type": "applicationHealth",
                    "resource_identifier": self._arn("cloudwatch", place, f"alarm:{self._region_alarm(place)}"),
                }
                for place in Place
            ],
            workflows=[
                {
                    "workflow_target_action": "activate",
                    "workflow_target_region": args.regions[place].region,
                    "workflow_description": f"Leave {args.regions[place.other].region}",
                    "steps": self._steps(),
                }
                for place in Place
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.plan_arn = plan.arn
        self.register_outputs({"plan_arn": self.plan_arn})

    def _steps(self) -> list[Any]:
        return [
            self._function_step(FENCE, minutes=_FENCE),
            {
                "name": "move-the-database",
                "execution_block_type": "AuroraGlobalDatabase",
                "global_aurora_configs": [
                    {
                        # Without loss; promoting a member at the price of what it lacks is the failover's work.
                        "behavior": "switchoverOnly",
                        "global_cluster_identifier": self._args.database.global_cluster_id,
                        "database_cluster_arns": [self._args.database.cluster_arns[place] for place in Place],
                        "timeout_minutes": _DATABASE,
                    }
                ],
            },
            self._function_step(PROVE, minutes=_PROVE),
        ]

    def _function_step(self, step: str, *, minutes: int) -> dict[str, Any]:
        return {
            "name": step,
            "execution_block_type": "CustomActionLambda",
            "custom_action_lambda_configs": [
                {
                    # The other one may be the one that fails.
                    "region_to_run": "activatingRegion",
                    "lambdas": [{"arn": self._function_arn(step, place)} for place in Place],
                    "timeout_minutes": minutes,
                    "retry_interval_minutes": _AGAIN,
                    # The only value that ARC accepts.
                    "ungracefuls": [{"behavior": "skip"}],
                }
            ],
        }

    def _of_the_plan(self, role_arn: pulumi.Output[str]) -> list[dict[str, Any]]:
        """As in AWS's own AmazonApplicationRecoveryControllerRegionSwitchPlanExecutionPolicy, but for this plan."""
        plan = pulumi.Output.concat("arn:aws:arc-region-switch::", self._account, f":plan/{self._plan_name}:*")
        return [
            iam.allow(
                [
                    "arc-region-switch:GetPlan",
                    "arc-region-switch:GetPlanExecution",
                    "arc-region-switch:ListPlanExecutions",
                ],
                [plan],
            ),
            iam.allow(["iam:SimulatePrincipalPolicy"], [role_arn]),
            # Composite alarms are listed only for callers that may describe all (API CloudWatch.DescribeAlarms).
            iam.allow(["cloudwatch:DescribeAlarms"], ["*"]),
            iam.allow(
                ["cloudwatch:DescribeAlarmHistory"],
                [self._arn("cloudwatch", place, f"alarm:{self._region_alarm(place)}") for place in Place],
            ),
            iam.allow(["cloudwatch:GetMetricStatistics"], ["*"]),
        ]

    def _of_its_steps(self) -> list[dict[str, Any]]:
        """The permissions that ARC requires for each kind of step [ARC-2]."""
        steps = (FENCE, PROVE)
        members = [self._args.database.cluster_arns[place] for place in Place]
        whole = pulumi.Output.concat(
            "arn:aws:rds::", self._account, ":global-cluster:", self._args.names.global_cluster
        )
        return [
            iam.allow(
                ["lambda:GetFunction", "lambda:InvokeFunction"],
                [self._function_arn(step, place) for step in steps for place in Place],
            ),
            iam.allow(["rds:DescribeGlobalClusters"], [whole]),
            iam.allow(["rds:DescribeDBClusters"], members),
            iam.allow(["rds:SwitchoverGlobalCluster"], [whole, *members]),
        ]

    def _function_arn(self, step: str, place: Place) -> pulumi.Output[str]:
        name = self._args.names.regional(f"function-{step_label(step)}", place)
        return self._arn("lambda", place, f"function:{name}")

    def _region_alarm(self, place: Place) -> str:
        return self._args.names.regional("alarm-region", place)

    def _arn(self, service: str, place: Place, resource: str) -> pulumi.Output[str]:
        return pulumi.Output.concat(
            f"arn:aws:{service}:{self._args.regions[place].region}:", self._account, f":{resource}"
        )
