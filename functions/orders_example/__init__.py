"""A second workload, as small as possible: a shop's orders. `workload:source: orders_example` deploys it in place of
`payments`; docs/own-workload.md lists what a workload has to provide.
"""
