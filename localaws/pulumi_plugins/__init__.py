"""Plugins with which the Pulumi CLI deploys to the embedded AWS.

A provider of `aws`, `random` and `tls` over the types of `localaws.provider`, and a host for programs in Python where
the CLI was installed without one.
"""
