"""What every part of the embedded AWS uses: the scaled clock, outages, the control API's registry, requests by region,
errors. It imports no service.
"""
