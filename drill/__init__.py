"""DR drills: take something away on purpose, measure what clients saw, and prove that nothing acknowledged was lost.

`probes` only observe and `actions` change, so that a scenario's imports show whether it can do harm.
"""
