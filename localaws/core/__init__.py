"""The base of every component of the embedded AWS: the scaled clock, outages, the control API's registry, requests
by region, errors. It imports no service.
"""
