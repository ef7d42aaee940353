"""The libraries of our functions: one layer per region, built for Lambda's platform by `make layer`."""

from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.function import ARCHITECTURE, RUNTIME

# Relative, so that the registered input is the same in every clone; programs run in their own folder, stacks/<name>.
BUILT = Path("..", "..", "build", "layer")


def dependencies(name: str, *, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """The ARN of a version of the layer. Each change of the libraries makes a new version."""
    layer = aws.lambda_.LayerVersion(
        "dependencies",
        layer_name=name,
        description="Libraries of all functions, pinned in functions/requirements.txt",
        code=pulumi.FileArchive(BUILT.as_posix()),
        compatible_runtimes=[RUNTIME],
        compatible_architectures=[ARCHITECTURE],
        opts=opts,
    )
    return layer.arn
