"""The Lambda function `recovery`: the operations that the failover and failback state machines invoke, one per state.

Every operation is idempotent: invoked again, it detects what is done already and does the rest. The order of the steps,
their retries and timeouts belong to the state machines (`components/failover`). The handler strings are
`recovery.handler.handler`, and `recovery.region_switch.handler` for the steps of an ARC Region switch plan.
"""
