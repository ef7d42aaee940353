"""The architecture as diagrams: one region with its neighbours, and the resources of `global` between the two."""

from ops.diagrams.links import Link, between, links
from ops.diagrams.model import COLUMNS, SHAPES, Arrow, Box, Column, Diagram, name_of
from ops.environment.resource_graph import Row, Rows

_SEVERAL = ("aws:ec2/natGateway:NatGateway", "aws:ec2/vpcEndpoint:VpcEndpoint")
CELLS = ("primary", "secondary")
_MIDDLE = (
    ("Endpoints and health", ("ingress", "monitoring")),
    ("Data and messaging", ("data", "event", "network", "compute")),
)
_PLACES = {"primary": "in primary", "secondary": "in secondary", "global": "in global"}


def region(rows: Rows, place: str = "primary") -> Diagram:
    """A region's cell, equal in both places, with its sources to the left and its targets to the right."""
    shown = {row["urn"]: row for row in rows if row["type"] in SHAPES}
    inside = {urn for urn, row in shown.items() if row["stack"] == place}
    found = [link for link in between(links(rows), set(shown)) if link.source in inside or link.target in inside]
    used = {link.target for link in found} - inside
    leading = {link.source for link in found} - inside - used
    drawn = {urn for link in found for urn in (link.source, link.target)}
    columns = [
        Column("Sources", _boxes([shown[urn] for urn in leading], outside=True)),
        *(
            Column(title, _boxes([shown[urn] for urn in inside & drawn if _kind(shown[urn]) in kinds]))
            for title, kinds in COLUMNS
        ),
        Column("Targets", _boxes([shown[urn] for urn in used], outside=True)),
    ]
    return Diagram(
        title="A region: the same cell in both places",
        columns=tuple(column for column in columns if column.boxes),
        arrows=_arrows(found, shown),
        notes=(_also([shown[urn] for urn in inside - drawn]), _left_out(rows, place)),
    )


def between_regions(rows: Rows) -> Diagram:
    """The resources that exist once, and those of the cells that they connect."""
    shown = {row["urn"]: row for row in rows if row["type"] in SHAPES}
    own = {urn for urn, row in shown.items() if row["stack"] == "global"}
    found = [
        link
        for link in between(links(rows), set(shown))
        if link.source in own
        or (_kind(shown[link.source]) != "compute" and shown[link.source]["stack"] != shown[link.target]["stack"])
    ]
    drawn = {urn for link in found for urn in (link.source, link.target)}
    middle = [
        Column(title, _boxes([shown[urn] for urn in own & drawn if _kind(shown[urn]) in kinds]))
        for title, kinds in _MIDDLE
    ]
    primary, secondary = (
        Column(f"stacks/{place}", _boxes([shown[urn] for urn in drawn if shown[urn]["stack"] == place]))
        for place in CELLS
    )
    return Diagram(
        title="stacks/global: what exists once, and what it connects",
        columns=tuple(column for column in (primary, *middle, secondary) if column.boxes),
        arrows=_arrows(found, shown),
        notes=(_also([shown[urn] for urn in own - drawn]), _left_out(rows, "global")),
    )


def _kind(row: Row) -> str:
    return SHAPES[row["type"]].kind


def _also(rows: list[Row]) -> str:
    """The resources without a box, as no arrow leads to them."""
    boxes = _boxes(rows)
    names = [f"{box.title} {box.detail}".strip() if box.detail not in box.title else box.title for box in boxes]
    return f"Also: {', '.join(names)}." if names else "Everything else is drawn."


def _key(row: Row) -> str:
    return f"{row['stack']}/{row['type'].rpartition(':')[2]}/{_merged(row)}"


def _merged(row: Row) -> str:
    """Equal resources in several zones, or for several services, share a box."""
    several = row["type"] in _SEVERAL
    private = row["type"] == "aws:route53/zone:Zone" and row["inputs"].get("vpcs")
    return "several" if several else "private" if private else name_of(row)


def _boxes(rows: list[Row], *, outside: bool = False) -> tuple[Box, ...]:
    ordered = sorted(rows, key=lambda row: str(row["urn"]), reverse=True)
    return tuple(_box(row, key, outside) for key, row in sorted({_key(row): row for row in ordered}.items()))


def _box(row: Row, key: str, outside: bool) -> Box:
    """Their number depends on settings and is not shown."""
    shape = SHAPES[row["type"]]
    title, name = shape.title_of(row), name_of(row)
    where = _PLACES[row["stack"]] if outside else ""
    if title == "λ":
        return Box(key, f"λ {name}", where, shape.kind)
    if _merged(row) != name:
        return Box(key, f"{title}s", where, shape.kind)
    return Box(key, title, f"{name}, {row['stack']}" if outside else name, shape.kind)


def _arrows(found: list[Link], shown: dict[str, Row]) -> tuple[Arrow, ...]:
    made = {Arrow(_key(shown[link.source]), _key(shown[link.target]), link.line) for link in found}
    return tuple(sorted(made, key=lambda arrow: (arrow.source, arrow.target, arrow.line)))


def _left_out(rows: Rows, stack: str) -> str:
    """The rest by type, as their number differs between environments."""
    types = {row["type"] for row in rows if row["stack"] == stack and row["type"].startswith("aws:")} - set(SHAPES)
    return f"Not drawn: {len(types)} types of resources that belong to these (alarms, roles, rules, settings, subnets)."
