"""The one table of prices: `prices.json`, each with its source, its date and how far it can be relied on."""

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, HttpUrl, PositiveFloat

TABLE = Path(__file__).with_name("prices.json")


class Price(BaseModel):
    """On demand, in US dollars for one unit, in the table's regions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    service: str
    price: PositiveFloat
    unit: str
    source: HttpUrl
    as_of: date
    basis: Literal["page", "memory"]
    """Read in a copy of the page, or known to the author and to be looked up."""
    note: str | None = None


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: Literal["USD"]
    regions: tuple[str, ...]
    read: str
    prices: tuple[Price, ...]

    def by_key(self) -> Mapping[str, Price]:
        return {each.key: each for each in self.prices}


@cache
def table() -> Table:
    return Table.model_validate(json.loads(TABLE.read_text()))
