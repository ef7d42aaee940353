"""CloudWatch Logs: listings while functions write."""

from collections.abc import Callable
from typing import Any

from localaws.emulator.patches import patch

_ATTEMPTS = 20


def list_groups_while_streams_come() -> None:
    """Answer DescribeLogGroups also when a function's first line adds a log stream meanwhile."""

    def describe_log_groups(describe: Callable[[dict[str, Any]], Any], data: dict[str, Any]) -> Any:
        return repeated(lambda: describe(data))

    patch("services.cloudwatch_logs:_describe_log_groups", describe_log_groups)


def repeated(listing: Callable[[], Any]) -> Any:
    """The answer of a listing that fails when a dictionary that it goes through changes its size."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return listing()
        except RuntimeError:
            continue
    return listing()
