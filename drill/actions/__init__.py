"""Changes that a drill makes, by subject: faults, regions, events, parameters, restores. Each names the change that
undoes
it.
"""
