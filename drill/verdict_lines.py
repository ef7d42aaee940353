"""How a line of the verdict is made."""

from drill.report.model import CheckKind, CheckReport


def objective(name: str, expected: str, found: str, *, met: bool) -> CheckReport:
    return CheckReport(name=name, kind="objective", expected=expected, measured=found, met=met)


def check(kind: CheckKind, name: str, expected: str, found: str, *, met: bool) -> CheckReport:
    return CheckReport(name=name, kind=kind, expected=expected, measured=found, met=met)
