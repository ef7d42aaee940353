"""What several Lambda functions share; it is copied into each archive beside the function's own package.

It imports nothing of the repository but itself, so that an archive stands on its own.
"""
