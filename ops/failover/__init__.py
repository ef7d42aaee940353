"""Commands that move the roles of regions by hand: failover, failback, approval, unfence."""
