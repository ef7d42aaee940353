"""The stamp as a tag's value. It holds no value of a parameter, nor anything derived from one.

A tag's value has at most 256 characters, of letters, digits, spaces and `+ - = . _ : / @` (API SSM.Tag).
"""

import re

from .parameter import Change, Stamp

TAG = "dr:common"
"""The tag's key. A parameter that carries it is, or has been, in both regions."""

_FORM = re.compile(
    r"v1 here=(?P<here>\d+) from=(?P<region>[a-z0-9-]+)/(?P<version>\d+)/(?P<at>\d+)"
    r" tags=(?P<tags>[0-9a-f]+) labels=(?P<labels>[0-9a-f]+) set=(?P<set_at>\d+)"
)


def write(stamp: Stamp) -> str:
    change = stamp.change
    return (
        f"v1 here={stamp.version} from={change.region}/{change.version}/{change.at}"
        f" tags={stamp.tags} labels={stamp.labels} set={stamp.set_at}"
    )


def read(text: str | None) -> Stamp | None:
    """None for no stamp, and for one that someone has spoilt: the parameter then counts as never copied."""
    found = _FORM.fullmatch(text or "")
    if not found:
        return None
    return Stamp(
        version=int(found["here"]),
        change=Change(region=found["region"], version=int(found["version"]), at=int(found["at"])),
        tags=found["tags"],
        labels=found["labels"],
        set_at=int(found["set_at"]),
    )
