"""A substitute for the Pulumi AWS provider: the table that maps resource types to API calls, and its execution. The
types themselves are data in `resources`, by service.
"""
