"""Runs Pulumi programs as they are and turns each registration into the AWS call a provider would make.

A substitute for the Pulumi CLI, the engine and the AWS provider on this machine; see `localaws.provider` for how a
resource becomes AWS calls, and `localaws/differences.py` for what is not as on AWS.
"""

from localaws.core.errors import DeployError
from localaws.engine.deploy import Deployment, deploy, deploy_in_child, destroy, graph
from localaws.engine.state import Changes, State

__all__ = ["Changes", "DeployError", "Deployment", "State", "deploy", "deploy_in_child", "destroy", "graph"]
