"""Runs the three Pulumi programs as they are and turns each registration into the AWS call a provider would make.

What stands in for the Pulumi CLI, the engine and the AWS provider on this machine; see `table.py` and `types/` for how
a resource becomes AWS calls, and `localaws/differences.py` for what is not as on AWS.
"""

from localaws.runner.changes import Changes
from localaws.runner.child import deploy_in_child
from localaws.runner.deploy import Deployment, deploy, destroy, graph
from localaws.runner.errors import DeployError
from localaws.runner.state import State

__all__ = ["Changes", "DeployError", "Deployment", "State", "deploy", "deploy_in_child", "destroy", "graph"]
