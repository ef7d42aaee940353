"""Compares the clients' own record with the journal of each region and with the ledger of each database member."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from drill.model.attempts import Intent
from drill.model.status import Row
from drill.observe.journal import CONTENT, Entry
from drill.observe.observer import Journals, Ledgers


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The comparison. Each loss, duplicate and difference is one sentence of evidence."""

    acknowledged: int = 0
    in_journal: int = 0  # acknowledged payments that both regions hold as the client sent them
    in_journal_by_region: dict[str, int] = field(default_factory=dict)  # held as sent
    unconfirmed: int = 0  # in the journal, but not acknowledged to the client; allowed
    lost: tuple[str, ...] = ()
    duplicated: tuple[str, ...] = ()
    in_ledger_by_region: dict[str, int] = field(default_factory=dict)  # acknowledged payments with a row as sent
    missing_in_ledger: tuple[str, ...] = ()  # acknowledged or in the journal, but no row, or another one
    journals_differ: tuple[str, ...] = ()
    ledgers_differ: tuple[str, ...] = ()
    unannounced: tuple[str, ...] = ()  # rows without an event, in any member
    synthetic: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing is lost, duplicated, missing, different or unannounced."""
        problems = (self.lost, self.duplicated, self.missing_in_ledger, self.journals_differ, self.ledgers_differ)
        return not any((*problems, self.unannounced))

    @property
    def compared_ledgers(self) -> bool:
        return bool(self.in_ledger_by_region)


def compare(
    intents: Iterable[Intent], journals: Journals, ledgers: Ledgers | None = None, *, prefix: str = ""
) -> Verification:
    """An acknowledged payment must be in every journal and in every member's ledger, as it was sent.

    `prefix` is what this run's references begin with; other runs' payments are compared between regions only.
    """
    acknowledged = {intent.payment_id: intent for intent in intents if intent.acknowledged is not None}
    ledgers = ledgers or {}
    lost = {
        (payment_id, region): f"{intent.reference} ({payment_id}) was acknowledged, but {why} in {region}"
        for payment_id, intent in acknowledged.items()
        for region, journal in journals.items()
        if (why := _difference(intent, journal.get(payment_id)))
    }
    unposted = {
        (payment_id, region): f"{intent.reference} ({payment_id}) was acknowledged, but {why} in {region}"
        for payment_id, intent in acknowledged.items()
        for region, ledger in ledgers.items()
        if (why := _row_difference(intent.body, ledger.get(payment_id)))
    }
    lost_ids = {payment_id for payment_id, _ in lost}
    known = {payment_id: entry for journal in journals.values() for payment_id, entry in journal.items()}
    ours = {payment_id for payment_id, entry in known.items() if entry.reference.startswith(prefix)}
    synthetic = {payment_id for payment_id in known if known[payment_id].synthetic}
    return Verification(
        acknowledged=len(acknowledged),
        in_journal=len(acknowledged) - len(lost_ids),
        in_journal_by_region=_held(acknowledged, journals, lost),
        unconfirmed=len(ours - set(acknowledged) - synthetic),
        lost=tuple(lost.values()),
        duplicated=(*_duplicates(journals), *_doubled_rows(ledgers)),
        in_ledger_by_region=_held(acknowledged, ledgers, unposted),
        missing_in_ledger=(*unposted.values(), *_unposted_entries(known, acknowledged, ledgers)),
        journals_differ=tuple(_absent_somewhere(journals)),
        ledgers_differ=tuple(_differing_rows(ledgers)),
        unannounced=tuple(_unannounced(ledgers)),
        synthetic=len(synthetic),
    )


def _held(
    acknowledged: Mapping[str, Intent], places: Mapping[str, Any], wrong: Mapping[tuple[str, str], str]
) -> dict[str, int]:
    return {region: sum((payment_id, region) not in wrong for payment_id in acknowledged) for region in places}


def _difference(intent: Intent, entry: Entry | None) -> str | None:
    if entry is None:
        return "is absent"
    differing = [name for name in CONTENT if entry.content.get(name) != str(intent.body[name])]
    return f"differs in {', '.join(differing)}" if differing else None


def _row_difference(content: Mapping[str, Any], row: Row | None) -> str | None:
    if row is None:
        return "has no row in the ledger"
    differing = [name for name in CONTENT[1:] if str(getattr(row, name)) != str(content.get(name, ""))]
    try:
        differing += [] if row.amount == Decimal(str(content.get("amount"))) else ["amount"]
    except InvalidOperation:
        differing.append("amount")
    return f"its row in the ledger differs in {', '.join(differing)}" if differing else None


def _unposted_entries(known: Mapping[str, Entry], acknowledged: Iterable[str], ledgers: Ledgers) -> Iterable[str]:
    """An accepted payment must have a row, even if the client got no answer."""
    for payment_id in sorted(set(known) - set(acknowledged)):
        for region, ledger in ledgers.items():
            if why := _row_difference(known[payment_id].content, ledger.get(payment_id)):
                yield f"{payment_id} is in the journal, but {why} in {region}"


def _duplicates(journals: Journals) -> Iterable[str]:
    ids: defaultdict[str, set[str]] = defaultdict(set)
    contents: defaultdict[str, dict[str, Mapping[str, str]]] = defaultdict(dict)
    for region, journal in journals.items():
        for entry in journal.values():
            if entry.reference:
                ids[entry.reference].add(entry.payment_id)
            contents[entry.payment_id][region] = entry.content
    for reference, several in sorted(ids.items()):
        if len(several) > 1:
            yield f"{reference} was paid {len(several)} times: {', '.join(sorted(several))}"
    for payment_id, by_region in sorted(contents.items()):
        if len({tuple(sorted(content.items())) for content in by_region.values()}) > 1:
            yield f"{payment_id} differs between {' and '.join(sorted(by_region))}"


def _doubled_rows(ledgers: Ledgers) -> Iterable[str]:
    """The table rejects an id that it has; one intent under two ids must be found here."""
    for region, ledger in ledgers.items():
        ids: defaultdict[str, set[str]] = defaultdict(set)
        for row in ledger.values():
            if row.reference:
                ids[row.reference].add(row.payment_id)
        for reference, several in sorted(ids.items()):
            if len(several) > 1:
                yield f"{reference} was posted {len(several)} times in {region}: {', '.join(sorted(several))}"


def _absent_somewhere(journals: Journals) -> Iterable[str]:
    everywhere = set().union(*journals.values())
    for region, journal in journals.items():
        for payment_id in sorted(everywhere - set(journal)):
            yield f"{payment_id} is absent in the journal of {region}"


def _unannounced(ledgers: Ledgers) -> Iterable[str]:
    waiting = {payment_id for ledger in ledgers.values() for payment_id, row in ledger.items() if not row.announced}
    return (f"{payment_id} is in the ledger, but no event announces it" for payment_id in sorted(waiting))


def _differing_rows(ledgers: Ledgers) -> Iterable[str]:
    everywhere = set().union(*ledgers.values()) if ledgers else set()
    for payment_id in sorted(everywhere):
        rows = {region: ledger.get(payment_id) for region, ledger in ledgers.items()}
        if len({repr(row) for row in rows.values()}) > 1:
            holders = [region for region, row in rows.items() if row]
            how = "differs between the members" if len(holders) == len(rows) else f"is in {', '.join(holders)} only"
            yield f"{payment_id} {how}"
