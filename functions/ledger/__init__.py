"""Posts the journal's payments to the database, in the region whose member is the writer, and announces them.

It follows the stream of its region's replica, and walks the whole replica when it is told to replay.
"""
