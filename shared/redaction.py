"""Account ids are shown by their last four digits: enough to distinguish two, too few to use."""

import re

_ACCOUNT = re.compile(r"(?<![0-9A-Za-z])(\d{8})(\d{4})(?![0-9A-Za-z])")
"""Twelve digits that stand alone, as AWS writes accounts in ARNs, URLs and names."""


def masked(text: str) -> str:
    """`text` with every account number cut to its last four digits."""
    return _ACCOUNT.sub(r"********\2", text)
