"""Parameter Store beside ministack's: who wrote a version, policies, patterns, types that stay, labels taken off."""

from localaws import hooks


def install() -> None:
    """To be called before `ParameterEvents.install`, which tells of what these let through."""
    hooks.ssm_gaps.complete_parameters()
    hooks.ssm_gaps.name_functions_to_parameter_store()
