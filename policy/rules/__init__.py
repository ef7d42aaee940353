"""What must hold of everything the three programs register, one subject a file.

A rule is a plain function from rows (`rules.rows`) to violations: sentences that name the resource and the remedy.
Rules know nothing of pytest, of Pulumi's engine or of the embedded AWS: the pack and the tests use the same ones.
"""
