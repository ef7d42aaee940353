"""`dr`, and `python -m ops`."""

import sys

from shared import local_aws


def main() -> None:
    """Commands of the embedded AWS start without loading the others: an outage should not wait for them."""
    words = sys.argv[1:]
    if words[:1] == ["local"] and words[1:2] not in (["up"], ["graph"]):
        local_aws.run(words[1:], name="dr local")
    from ops.cli import app

    app(prog_name="dr")


if __name__ == "__main__":
    main()
