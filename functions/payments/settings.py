"""Environment variables of the function: `journal_table` is read from JOURNAL_TABLE, and so on."""

import json
import re
from enum import StrEnum
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from common.control.settings import JournalSettings


class DurabilityRule(StrEnum):
    """The handling of a payment that the other region's journal did not confirm in time."""

    ONE_REGION = "one-region"  # it is accepted, with status 202
    BOTH = "both"  # it is rejected


class Settings(JournalSettings):
    # The same in both regions: its journal is written first, so that of two payments with one id only one is accepted.
    journal_arbiter_region: str = Field(min_length=1)
    durability: DurabilityRule = DurabilityRule.ONE_REGION
    # A silent peer costs a trial its timeout, in every sandbox; a recovered one gets no writes for as long.
    peer_longest_trial_seconds: float = Field(default=30.0, gt=0, le=300)
    max_body_bytes: int = Field(default=8192, ge=1024)
    service_version: str = Field(min_length=1)
    metrics_namespace: str = Field(min_length=1)
    # Client to SHA-256 of its key, in hex. No default: without keys everyone is accepted, which must be set explicitly.
    client_key_hashes: dict[str, str] = Field(repr=False)

    @field_validator("client_key_hashes", mode="before")
    @classmethod
    def _are_hashes(cls, text: str) -> dict[str, Any]:
        try:
            hashes = json.loads(text)
        except ValueError:
            hashes = None
        if not isinstance(hashes, dict) or not all(re.fullmatch("[0-9a-f]{64}", str(each)) for each in hashes.values()):
            raise ValueError("must be a JSON object of client to SHA-256 in lower-case hex")
        return hashes

    @field_validator("journal_arbiter_region")
    @classmethod
    def _is_one_of_both(cls, arbiter: str, info: ValidationInfo) -> str:
        regions = {info.data.get("region"), info.data.get("peer_region")}
        if None not in regions and arbiter not in regions:
            raise ValueError("must be the function's own region or its peer")
        return arbiter
