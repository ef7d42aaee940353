"""Aurora global databases over PostgreSQL: members, replication lag, switchover and failover, the Data API."""
