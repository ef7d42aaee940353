"""Deployment by the Pulumi CLI: preview, deploy, refresh and outputs in the order of the stacks, the guards before
them,
`init`, `doctor`, and service quotas.
"""
