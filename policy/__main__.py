"""What the Pulumi CLI runs for `--policy-pack policy`: it serves the policies until the CLI has no more resources."""

from pulumi_policy import PolicyPack

from policy.adapter import policies

PolicyPack("aws-multi-region-dr", policies())
