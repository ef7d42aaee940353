"""Aurora global databases on PostgreSQL: members, replication lag, switchover and failover, the Data API.

ministack keeps clusters and instances; `postgres` runs the servers.
"""
