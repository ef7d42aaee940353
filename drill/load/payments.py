"""The payments a rehearsal sends: made up from a seed, so that a run can be repeated exactly."""

import random
import string
import uuid
from collections.abc import Iterator

from drill.model.attempts import Intent

_CURRENCIES = ("EUR", "USD", "GBP", "CHF")


def payments(seed: int, *, label: str = "drill") -> Iterator[Intent]:
    """Endless distinct payments, of which another label or seed makes none. The reference `<label>-<seed>-<number>` is
    the client's own name for its intent."""
    dice = random.Random(f"{label}-{seed}")
    number = 0
    while True:
        payment_id = str(uuid.UUID(int=dice.getrandbits(128), version=4))
        reference = f"{label}-{seed}-{number:06d}"
        body = {
            "id": payment_id,
            "amount": f"{dice.randint(1, 250_000) / 100:.2f}",
            "currency": dice.choice(_CURRENCIES),
            "debtor": _iban(dice),
            "creditor": _iban(dice),
            "reference": reference,
        }
        yield Intent(number=number, reference=reference, payment_id=payment_id, body=body, offered=0.0)
        number += 1


def _iban(dice: random.Random) -> str:
    """A German account number with valid check digits (ISO 13616: 98 less the remainder by 97)."""
    account = "".join(dice.choices(string.digits, k=18))
    return f"DE{98 - int(account + '131400') % 97:02d}{account}"
