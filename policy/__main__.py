"""The policy server that the Pulumi CLI starts for `--policy-pack policy` and stops when it has no more resources."""

from pulumi_policy import PolicyPack

from policy.adapter import policies

PolicyPack("aws-multi-region-dr", policies())
