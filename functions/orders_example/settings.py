"""The environment variables that every workload is given; `journal_table` is read from JOURNAL_TABLE, and so on."""

import json
from typing import Any, Literal

from pydantic import Field, field_validator

from common.control.settings import JournalSettings


class Settings(JournalSettings):
    journal_arbiter_region: str = Field(min_length=1)  # whose replica is written first, by both regions
    durability: Literal["one-region", "both"]  # what an order needs when the other region is silent
    client_key_hashes: dict[str, str] = Field(repr=False)  # client to SHA-256 of its key, in hex; as JSON
    service_version: str = Field(min_length=1)

    @field_validator("client_key_hashes", mode="before")
    @classmethod
    def _are_json(cls, text: str) -> Any:
        return json.loads(text)
