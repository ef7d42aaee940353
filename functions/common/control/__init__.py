"""Control records: which region may accept payments and post them, how a function observes that, and who may change it.
`rules` is pure and decides; the other modules read, remember and write.
"""
