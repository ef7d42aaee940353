"""Lambda: execution environments, the fork server they come from, stream mappings, and their egress proxy."""
