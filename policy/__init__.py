"""The Pulumi policy pack: rules for every resource that the stacks register, checked before it is created.

`rules/` holds the rules as plain functions, `catalogue` gives each its name and scope, and `adapter` turns the Pulumi
engine's resources into their input. Only `adapter` and `__main__` import `pulumi_policy`, which is installed in an
environment of its own (`make policy`).
"""
