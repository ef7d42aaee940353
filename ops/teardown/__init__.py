"""Destroying an environment: the order of the stacks, what must be emptied before them, and what remains after them."""
