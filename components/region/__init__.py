"""One region as a whole: the only package that composes the others. `region` is its table of contents."""
