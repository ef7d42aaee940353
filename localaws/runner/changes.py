"""What a run did."""

from dataclasses import dataclass, field


@dataclass
class Changes:
    """URNs by what happened to them."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.created) + len(self.updated) + len(self.deleted)

    def extend(self, other: "Changes") -> None:
        self.created += other.created
        self.updated += other.updated
        self.deleted += other.deleted
