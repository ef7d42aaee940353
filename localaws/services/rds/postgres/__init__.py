"""PostgreSQL servers on this machine: programs, data directories, replication, and the relays in front of them."""
