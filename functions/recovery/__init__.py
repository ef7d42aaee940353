"""The steps of a failover and of a failback: small operations that the state machines call one by one.

Each can be called again at any time: it finds what is done already and does the rest.
"""
