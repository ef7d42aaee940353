"""S3 buckets and their replication, the DynamoDB tables of journal and backlog, KMS keys, and the parameters an
environment starts with.
"""
