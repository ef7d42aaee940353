"""Route 53: records, names, health checks, and the DNS server that answers for them."""
