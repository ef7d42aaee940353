"""Takes out of a text what no journal and no report may hold: secrets, and account numbers but their last four
digits."""

import re
from collections.abc import Iterable
from typing import Any

from shared.redaction import masked

SECRET = "[secret]"
_SHORTEST = 6  # a shorter "secret" would blank out ordinary words

_PATTERNS = (
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),  # access key ids [IAM-4]
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),  # user and password in a URL
    re.compile(r"(?i)(?<=authorization: )\S.*"),
    re.compile(r"(?i)(?:(?<=password=)|(?<=secret=)|(?<=token=)|(?<=x-api-key: )|(?<=x-api-key=))[^\s&,;\"']+"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----"),
)


class Redactor:
    """Knows the run's own secrets by value, and others by their looks."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({each for each in secrets if len(each) >= _SHORTEST}, key=len, reverse=True)

    def text(self, value: str) -> str:
        for secret in self._secrets:
            value = value.replace(secret, SECRET)
        for pattern in _PATTERNS:
            value = pattern.sub(SECRET, value)
        return masked(value)

    def tree(self, value: Any) -> Any:
        """A JSON-like value with every text in it redacted, keys too."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(str(key)): self.tree(each) for key, each in value.items()}
            case list() | tuple():
                return [self.tree(each) for each in value]
        return value
