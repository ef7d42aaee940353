"""One program with many small resources: the cost of each as their number grows."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.meter import Cost, Meter
from localaws.engine import State, deploy, destroy

_PROGRAM = """
    import pulumi
    import pulumi_aws as aws

    provider = aws.Provider("east", region="us-east-1")
    options = pulumi.ResourceOptions(provider=provider)
    for number in range({count}):
        value = "x" if number % 10 == 0 else first.arn  # nine depend on the tenth
        name = f"/bench/{count}/{{number}}"
        made = aws.ssm.Parameter(f"p{{number}}", name=name, type="String", value=value, opts=options)
        first = made if number % 10 == 0 else first
"""
Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Many:
    """`count` parameters deployed, run again, and destroyed."""

    count: int
    create: Cost
    again: Cost
    destroy: Cost
    memory: int  # megabytes of the server while they are deployed


def many(
    meter: Meter,
    endpoint: str,
    folder: Path,
    count: int,
    report: Report,
    meanwhile: Callable[[], object] = lambda: None,
) -> Many:
    """Measure with `count` parameters, and call `meanwhile` while they are deployed. Raises DeployError."""
    program = folder / str(count) / "primary"
    program.mkdir(parents=True)
    (program / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
    (program / "__main__.py").write_text(textwrap.dedent(_PROGRAM.format(count=count)))
    state, name = State(), f"many{count}"

    def run() -> None:
        deploy(name, endpoint, [program], state=state)

    with meter.measure() as create:
        run()
    report(f"{count} parameters: created in {create.seconds:.1f} s")
    with meter.measure() as again:
        run()
    report(f"{count} parameters: run again in {again.seconds:.1f} s")
    memory = meter.memory()
    meanwhile()
    with meter.measure() as destroyed:
        destroy(name, endpoint, [program], state=state)
    report(f"{count} parameters: destroyed in {destroyed.seconds:.1f} s")
    return Many(count=count, create=create, again=again, destroy=destroyed, memory=memory)
