"""Code shared by several Lambda functions; it is copied into each archive beside the function's own package.

It belongs here if at least two functions use it: AWS clients, the DynamoDB replica, the payment record, HTTP events,
telemetry, and in `control` the rules of which region may serve and post. It imports nothing of the repository but
itself, so that an archive is complete. What one function uses stays in that function's folder.
"""
