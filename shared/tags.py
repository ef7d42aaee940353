"""The tags that every taggable resource carries, through its provider's default tags."""

PROJECT = "aws-multi-region-dr"


def default_tags(*, environment: str, cost_center: str, criticality: str, place: str) -> dict[str, str]:
    """`place` is `primary`, `secondary`, or `global` for what exists once."""
    return {
        "Environment": environment,
        "CostCenter": cost_center,
        "Criticality": criticality,
        "Place": place,
        "Project": PROJECT,
        "ManagedBy": "pulumi",
    }
