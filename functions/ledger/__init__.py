"""The Lambda function `ledger`: posts the journal's payments to the database of the region that is the writer.

It consumes the journal table's stream in each region, and replays from the backlogs what was not posted then; the
handler string is `ledger.handler.handler`. Payments are accepted by `payments`; which region may post is decided by
`common.control`.
"""
