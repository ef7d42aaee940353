"""Which run of a region's state machines went on last, by its ARN: an item of the journal, a slot for one.

A run takes the slot when it may go on, and leaves it by ending, which Step Functions knows.
"""

from .replica import KEY, Item, Replica


def last_run(local: Replica) -> str | None:
    """The run that went on last in the replica's own region; None if none ever did. Raises ReplicaUnavailable."""
    item = local.read(_key(local))
    return str(item["execution"]["S"]) if item else None


def take_slot(local: Replica, execution: str, *, since: str, instead_of: str | None) -> str | None:
    """Put `execution` into the slot if it is empty, or if `instead_of` holds it; who holds it else.

    Raises ReplicaUnavailable.
    """
    item: Item = {KEY: {"S": _key(local)}, "execution": {"S": execution}, "since": {"S": since}}
    if instead_of is not None and local.exchange(item, unless_changed={"execution": {"S": instead_of}}):
        return None
    held = local.add(item)
    return str(held["execution"]["S"]) if held else None


def _key(local: Replica) -> str:
    return f"control#run#{local.region}"
