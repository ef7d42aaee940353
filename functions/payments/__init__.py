"""The Lambda function `payments`: accepts payments over HTTP and stores them in a journal in two regions.

Two entry points invoke it: a regional API Gateway REST API and an Application Load Balancer; the handler string is
`payments.handler.handler`. The API is described in `openapi.json`. Posting to the database belongs to `ledger`.
"""
