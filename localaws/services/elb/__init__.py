"""Elastic Load Balancing: listeners of load balancers as ports of this machine, and target health.

ministack keeps load balancers and rules; `deployed` reads them.
"""
