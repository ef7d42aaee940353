"""The vocabulary of a drill as values: scenarios, objectives, changes, expectations, status, attempts, errors. It
imports
no other package of `drill`.
"""
