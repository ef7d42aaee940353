"""What exists once, and every edge between the two regional cells, in a few groups. The counterpart of
`components.region` for the stack `global`; what belongs to one region only is not here.
"""
