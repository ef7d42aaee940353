"""The Lambda functions `ledger` and `announcer` of each region.

`ledger` (`ledger.handler.handler`) consumes the journal table's stream, posts the payments to the database of the
region that is the writer, and replays from the backlogs what was not posted then. `announcer`
(`ledger.announcing.handler`) publishes an event for each posted payment. Payments are accepted by `payments`; which
region may post is decided by `common.control`.
"""
