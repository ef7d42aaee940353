"""Components of the stack `global`: shared resources and the links between the regions. The counterpart of
`components.region`; a resource that belongs to one region only is not here.
"""
