"""TCP and HTTP building blocks of the data planes: listening ports with outages, a TCP proxy, TLS contexts, health
probes. Nothing here depends on an AWS service.
"""
