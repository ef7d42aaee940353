"""Step Functions definitions of failover and failback, and the ARC Region switch plan: what moves a region's roles, as
data. The Lambda functions that the states call are in `components.workload`.
"""
