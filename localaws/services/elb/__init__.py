"""Load balancers that carry traffic: listeners, the application load balancer, target health."""
