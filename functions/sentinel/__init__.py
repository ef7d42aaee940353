"""The Lambda function `sentinel`: monitors the other region, starts the failover if that region is lost, and returns it
to service once it is well again.

It changes nothing itself: it starts this region's state machine, which checks all preconditions again. How the failover
is done belongs to `recovery` and `components/failover`. The handler string is `sentinel.handler.handler`.
"""
