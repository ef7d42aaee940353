"""Benchmarks of the embedded AWS: deployments by number of environments and resources, parameters, payments."""
