"""The Pulumi policy pack: what must hold of everything the stacks register, checked before anything is made.

`rules/` says what must hold, in plain functions; `catalogue` names them; `adapter` gives them what the Pulumi engine
knows, and is the only part that needs `pulumi_policy`, which lives in an environment of its own (`make policy`).
"""
