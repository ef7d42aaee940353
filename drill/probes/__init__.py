"""Expectations that a scenario waits for, judged on an observation."""
