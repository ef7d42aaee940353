"""TCP fronts on loopback: what load balancers and accelerators do with a connection, and how a lost region fails."""
