"""Types of settings' values that a type of Python alone does not check.

Each refuses a value with a sentence about what to change; `shared.settings` adds the key, the value and the file.
"""

import functools
import ipaddress
import re
from pathlib import Path
from typing import Annotated

from botocore.session import Session
from pydantic import AfterValidator, Field

from shared.functions import FUNCTIONS as OUR_FUNCTIONS
from shared.places import Place

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"
WORKLOAD_FILES = ("handler.py", "openapi.json")
"""The contents of a workload's folder: the function, and the description of its API."""
_OUR_OWN = {"common", *OUR_FUNCTIONS} - {"payments"}
_LONGEST_SUFFIX = 12


def _suffix(value: str) -> str:
    # Twelve characters leave room for the longest name with a hard limit, `nlb-secondary-…` in 32 (shared.naming).
    # Aurora accepts neither two hyphens in a row nor one at the end of an identifier (API RDS.CreateDBCluster).
    parts = value.split("-")
    if len(value) > _LONGEST_SUFFIX or not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", value) or len(value) < 2:
        raise ValueError(
            "2 to 12 lower-case letters and digits are needed, a letter first, with single hyphens between them; "
            "change it"
        )
    if places := sorted(set(parts) & set(Place)):
        # Log groups are swept by the end of their name, `-<place>-<suffix>`: another environment's would match.
        raise ValueError(f"{places[0]} is the name of a place; leave it out of the suffix, such as in dr-prod")
    return value


@functools.cache
def _regions() -> frozenset[str]:
    """Their names, from a file of botocore that takes a while to parse."""
    return frozenset(Session().get_available_regions("ec2"))


def _region(value: str) -> str:
    if value not in _regions():
        raise ValueError("it is not a region of AWS; use one such as us-east-1")
    return value


def _cidr(value: str) -> str:
    try:
        network = ipaddress.ip_network(value)
    except ValueError as error:
        raise ValueError(f"{error}; use a block such as 10.0.0.0/16") from error
    if not isinstance(network, ipaddress.IPv4Network) or not network.is_private:
        raise ValueError("a private IPv4 block is needed, such as 10.0.0.0/16")
    if not 16 <= network.prefixlen <= 20:
        raise ValueError("a VPC with three zones needs a /16 to /20; change the prefix")
    return value


def _flags(value: str) -> str:
    if value and not re.fullmatch(r"[a-z][a-z0-9-]*=(on|off)(,[a-z][a-z0-9-]*=(on|off))*", value):
        raise ValueError("flags are written name=on or name=off, with commas between, such as instant-payments=off")
    return value


def _workload(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", value):
        raise ValueError("a folder of functions/ is named by lower-case letters, digits and underscores; change it")
    if value in _OUR_OWN:
        raise ValueError("that function is the product's own; name the folder of yours, or payments")
    if missing := [file for file in WORKLOAD_FILES if not (FUNCTIONS / value / file).is_file()]:
        raise ValueError(f"functions/{value} has no {' and no '.join(missing)}; see docs/own-workload.md")
    return value


def one_of(*choices: int) -> AfterValidator:
    """Allow these numbers only."""

    def check(value: int) -> int:
        if value not in choices:
            raise ValueError(f"choose one of {', '.join(map(str, choices))}")
        return value

    return AfterValidator(check)


Suffix = Annotated[str, AfterValidator(_suffix)]
Flags = Annotated[str, AfterValidator(_flags)]
Workload = Annotated[str, AfterValidator(_workload)]
Region = Annotated[str, AfterValidator(_region)]
Cidr = Annotated[str, AfterValidator(_cidr)]
DomainName = Annotated[
    str, Field(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?$", max_length=253)
]
