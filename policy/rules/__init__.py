"""Rules for the resources of the three programs, one subject per file.

A rule is a plain function from rows (`rules.rows`) to violations: sentences that name the resource and the remedy.
Rules import neither pytest nor Pulumi nor the embedded AWS, so that the policy pack and the tests share them.
"""
