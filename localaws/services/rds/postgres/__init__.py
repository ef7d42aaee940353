"""The PostgreSQL processes behind Aurora members: programs, launch, host, and the relay that delays replication."""
