"""Judging a run: reconciliation of acknowledged payments with journal and ledger, interruptions, limits, and the
verdict. Pure functions of what was measured.
"""
