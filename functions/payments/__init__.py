"""The Lambda function `payments`: takes payments over HTTP and keeps them in a journal in two regions.

Two doors lead to it, a regional API Gateway REST API and an Application Load Balancer. Lambda's handler string is
`payments.handler.handler`; the archive holds this package and `common` side by side.
"""
