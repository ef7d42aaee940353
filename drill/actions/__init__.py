"""What a drill changes, by subject: faults, regions, events, parameters, restores. Every change names the change that
undoes
it.
"""
