"""The scenarios as data: `simulated` need the fault injector of the embedded AWS, `deployed` run on AWS too. `settings`
is what a run of one of them was asked to do.
"""
