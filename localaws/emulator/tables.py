"""Content of DynamoDB tables, written directly to ministack's storage."""

from collections.abc import Iterable
from typing import Any


def add_items(table: str, items: Iterable[dict[str, Any]], regions: Iterable[str]) -> int:
    """Add items (in DynamoDB's JSON) to a table's replicas in `regions`; returns how many. No stream has them.

    The replicas share the items, which must never be updated, only replaced or deleted. Raises LookupError without
    such a table in one of the regions.
    """
    from ministack.core.responses import get_account_id
    from ministack.services import dynamodb

    replicas = []
    for region in regions:
        if (replica := dynamodb._tables.get_scoped(get_account_id(), region, table)) is None:
            raise LookupError(f"table {table} is not in {region}")
        replicas.append(replica)
    count = 0
    for item in items:
        for replica in replicas:
            key = dynamodb._extract_key_val(item[replica["pk_name"]])
            sort = dynamodb._extract_key_val(item[replica["sk_name"]]) if replica["sk_name"] else "__no_sort__"
            dynamodb._set_item(replica, key, sort, item)
        count += 1
    return count
