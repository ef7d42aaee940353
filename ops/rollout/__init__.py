"""Deployment through the Pulumi CLI: preview, deploy, refresh and outputs in the order of the stacks, their guards,
`init` and `doctor`.
"""
