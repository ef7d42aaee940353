"""Compares what clients were told with what the journal holds in each region. Reads only, and trusts nobody's word."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from drill.record import Intent

_PREFIX = "payment#"
_CONTENT = ("amount", "currency", "debtor", "creditor", "reference")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One payment in one region's journal."""

    payment_id: str
    content: Mapping[str, str]

    @property
    def reference(self) -> str:
        return self.content.get("reference", "")


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The comparison. Each loss and each duplicate is one sentence of evidence."""

    acknowledged: int
    in_journal: int  # acknowledged payments that both regions hold as the client sent them
    in_journal_by_region: dict[str, int]  # acknowledged payments that the region holds as sent
    unconfirmed: int  # in the journal, but the client was never told; allowed
    lost: tuple[str, ...]
    duplicated: tuple[str, ...]


def read_journal(dynamodb: Any, table: str) -> dict[str, Entry]:
    """All payments of one region's replica, by payment id. Raises botocore's ClientError."""
    convert = TypeDeserializer().deserialize
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        ConsistentRead=True,
        FilterExpression="begins_with(pk, :prefix)",
        ExpressionAttributeValues={":prefix": {"S": _PREFIX}},
    )
    items = ({name: convert(value) for name, value in item.items()} for page in pages for item in page["Items"])
    entries = (_entry(item) for item in items)
    return {entry.payment_id: entry for entry in entries}


def _entry(item: Mapping[str, Any]) -> Entry:
    return Entry(
        payment_id=str(item["pk"]).removeprefix(_PREFIX),
        content={name: str(item[name]) for name in _CONTENT if name in item},
    )


def compare(intents: Iterable[Intent], journals: Mapping[str, Mapping[str, Entry]]) -> Verification:
    """`journals` is what each region holds. An acknowledged payment must be in all of them, as it was sent."""
    acknowledged = {intent.payment_id: intent for intent in intents if intent.acknowledged is not None}
    lost = {
        (payment_id, region): f"{intent.reference} ({payment_id}) was acknowledged, but {why} in {region}"
        for payment_id, intent in acknowledged.items()
        for region, journal in journals.items()
        if (why := _difference(intent, journal.get(payment_id)))
    }
    lost_ids = {payment_id for payment_id, _ in lost}
    known = set().union(*journals.values())
    return Verification(
        acknowledged=len(acknowledged),
        in_journal=len(acknowledged) - len(lost_ids),
        in_journal_by_region={
            region: sum((payment_id, region) not in lost for payment_id in acknowledged) for region in journals
        },
        unconfirmed=len(known - set(acknowledged)),
        lost=tuple(lost.values()),
        duplicated=tuple(_duplicates(journals)),
    )


def _difference(intent: Intent, entry: Entry | None) -> str | None:
    if entry is None:
        return "is absent"
    differing = [name for name in _CONTENT if entry.content.get(name) != str(intent.body[name])]
    return f"differs in {', '.join(differing)}" if differing else None


def _duplicates(journals: Mapping[str, Mapping[str, Entry]]) -> Iterable[str]:
    ids: defaultdict[str, set[str]] = defaultdict(set)
    contents: defaultdict[str, dict[str, Mapping[str, str]]] = defaultdict(dict)
    for region, journal in journals.items():
        for entry in journal.values():
            ids[entry.reference].add(entry.payment_id)
            contents[entry.payment_id][region] = entry.content
    for reference, several in sorted(ids.items()):
        if len(several) > 1:
            yield f"{reference} was paid {len(several)} times: {', '.join(sorted(several))}"
    for payment_id, by_region in sorted(contents.items()):
        if len({tuple(sorted(content.items())) for content in by_region.values()}) > 1:
            yield f"{payment_id} differs between {' and '.join(sorted(by_region))}"
