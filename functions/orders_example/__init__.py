"""A second workload, as small as one can be: a shop's orders. `workload:source: orders_example` puts it into the place
of `payments`; what it must keep to, docs/own-workload.md says.
"""
