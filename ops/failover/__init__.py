"""Commands of a person that move a region's roles: failover, failback, approval, unfence."""
