"""AWS Backup: plans, vaults and restore testing. Point-in-time recovery is a setting of the table and the cluster."""
