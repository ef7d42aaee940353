"""Keeps the parameters of an environment equal in two regions, whichever of them a change is made in.

The order in which both regions decide is in docs/decisions/0008-parameters-in-two-regions.md.
"""
