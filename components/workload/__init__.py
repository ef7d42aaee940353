"""The Lambda functions of one region, each with its environment, permissions and triggers. `context` holds what all of
them share. Their code is in `functions/`; resources that are no function's own belong to the package of their subject.
"""
