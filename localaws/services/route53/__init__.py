"""Route 53: DNS over UDP and TCP, health checks, and the location of AWS names on this machine."""
