"""AWS Backup: plans, vaults, and restore testing."""
