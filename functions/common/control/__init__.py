"""Control records: which region may serve traffic and which may post to the ledger, and how a function evaluates that.

`rules` decides and is pure; `records`, `memory` and `writes` read and write the items of the global table, `witness`
queries DNS, `observe` puts them together. What acts on a decision (health, ledger, sentinel, recovery) is in the
functions' own folders.
"""
