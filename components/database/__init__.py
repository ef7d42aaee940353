"""The Aurora global database and what its member clusters need: engine version, placement, master secret."""
