"""Deployment through the Pulumi CLI: preview, deploy, refresh and outputs in the order of the stacks, what refuses a
plan, what an interruption left (locks and pending operations), `init` and `doctor`.
"""
