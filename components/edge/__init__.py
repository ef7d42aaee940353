"""Traffic management in front of the regions: Global Accelerator, the Route 53 zone with its health checks, and the
witness that observes both regions from outside. The load balancers behind it are in `components.ingress`.
"""
