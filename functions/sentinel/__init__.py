"""The sentinel of a region: watches the other region and starts the failover when that region is lost, and only then.

It changes nothing itself. What it starts is this region's state machine, which checks everything again.
"""
