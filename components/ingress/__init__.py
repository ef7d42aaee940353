"""A region's ingress: the Network Load Balancer, the Application Load Balancer behind it, the REST API, its
authorization, certificate and web ACL. What spans both regions is in `components.edge`.
"""
