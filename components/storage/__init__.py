"""S3 buckets and their replication, the DynamoDB journal table, KMS keys, and the parameters an environment starts
with.
"""
