"""DR drills: take something away on purpose, measure what clients saw, and prove that nothing acknowledged was lost.

`probes` looks and `actions` changes, so that a reader knows from its imports whether a scenario can do harm.
"""
