"""The log of a run: what it did and found, as it happens, so that another process can finish the cleanup."""
