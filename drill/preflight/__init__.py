"""Whether both regions could take over now: one file per family of checks, and nothing here changes anything."""
