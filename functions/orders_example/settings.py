"""Environment variables of every workload: `journal_table` is read from JOURNAL_TABLE, and so on."""

import json
from typing import Any, Literal

from pydantic import Field, field_validator

from common.control.settings import JournalSettings


class Settings(JournalSettings):
    journal_arbiter_region: str = Field(min_length=1)  # whose replica both regions write first
    durability: Literal["one-region", "both"]  # replicas that an order needs while the other region does not answer
    client_key_hashes: dict[str, str] = Field(repr=False)  # JSON: client to SHA-256 of its key, in hex
    service_version: str = Field(min_length=1)

    @field_validator("client_key_hashes", mode="before")
    @classmethod
    def _are_json(cls, text: str) -> Any:
        return json.loads(text)
