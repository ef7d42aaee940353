"""VPCs, their endpoints and flow logs, and the private network between the regions. Load balancers are in
`components.ingress`.
"""
