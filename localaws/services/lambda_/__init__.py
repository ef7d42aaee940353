"""Lambda: the fork server of execution environments, DynamoDB stream mappings, and the functions' egress proxy.

Invocations and the pool of execution environments are ministack's, patched in `localaws.emulator.lambda_`.
"""
