"""One region as a whole, composed of the other packages. `region` is its table of contents. What ties the two regions
together is in `components.global_stack`.
"""
