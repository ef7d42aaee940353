"""Registered resources and a load, as lines of a monthly estimate."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ops.cost_load import Load
from ops.cost_prices import Price
from ops.cost_scene import Scene
from ops.registered import Row, Rows


@dataclass(frozen=True)
class Use:
    """So many units of what a price is for, in a month: whatever the load is, or because of it."""

    price: str
    quantity: float
    fixed: bool = True


Pricer = Callable[[Row, Scene], Iterable[Use]]


@dataclass(frozen=True)
class Line:
    stack: str
    service: str
    resource: str
    price: str
    quantity: float
    unit: str
    fixed: bool
    dollars: float


@dataclass(frozen=True)
class Estimate:
    environment: str
    load: Load
    lines: list[Line] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)  # types of which nobody has said what they cost
    unpriced: Counter[str] = field(default_factory=Counter)  # prices that the table lacks

    @property
    def fixed(self) -> float:
        return sum(line.dollars for line in self.lines if line.fixed)

    @property
    def use(self) -> float:
        return sum(line.dollars for line in self.lines if not line.fixed)

    @property
    def total(self) -> float:
        return self.fixed + self.use

    def by(self, *keys: str) -> dict[tuple[str, ...], tuple[float, float]]:
        """Fixed and per-use dollars, by stack, service or resource; sorted."""
        sums: dict[tuple[str, ...], list[float]] = {}
        for line in self.lines:
            found = sums.setdefault(tuple(getattr(line, key) for key in keys), [0.0, 0.0])
            found[not line.fixed] += line.dollars
        return {key: (fixed, use) for key, (fixed, use) in sorted(sums.items())}


def estimate(
    environment: str,
    rows: Rows,
    load: Load,
    pricers: Mapping[str, Pricer],
    free: Mapping[str, str],
    prices: Mapping[str, Price],
) -> Estimate:
    """What the rows cost in a month under this load."""
    found = Estimate(environment, load)
    scene = Scene(rows, load)
    for row in rows:
        if not row["type"].startswith("aws:") or row["type"] in free:
            continue
        pricer = pricers.get(row["type"])
        if pricer is None:
            found.unknown[row["type"]] += 1
            continue
        for use in pricer(row, scene):
            price = prices.get(use.price)
            if price is None:
                found.unpriced[use.price] += 1
            elif use.quantity:
                found.lines.append(_line(row, use, price))
    return found


def _line(row: Row, use: Use, price: Price) -> Line:
    return Line(
        stack=row["stack"],
        service=price.service,
        resource=row["name"],
        price=use.price,
        quantity=use.quantity,
        unit=price.unit,
        fixed=use.fixed,
        dollars=use.quantity * price.price,
    )
