"""A CloudWatch dashboard. Its name is taken in the whole account, not in a region [CW-3]."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components import dashboard_layout


@dataclass(frozen=True, kw_only=True)
class DashboardArgs:
    name: str
    sections: Sequence[dashboard_layout.Section]


class Dashboard(pulumi.ComponentResource):
    """What `components.dashboard_layout` says it shows."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: DashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("dr:dashboard:Dashboard", name, None, opts)
        dashboard = aws.cloudwatch.Dashboard(
            f"{name}-dashboard",
            dashboard_name=args.name,
            dashboard_body=pulumi.Output.json_dumps(dashboard_layout.body(args.sections), sort_keys=True),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = dashboard.dashboard_name
        self.register_outputs({"name": self.name})
