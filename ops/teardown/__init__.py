"""Destroying an environment: the order of the stacks, what must be emptied first, and what is left behind."""
