"""Parameter Store beside ministack's: who wrote a version, policies, patterns, types that stay, labels taken off."""

from localaws import hooks


def install() -> None:
    """To be called before `ParameterEvents.install`, which tells of what these let through."""
    hooks.complete_parameters()
    hooks.name_functions_to_parameter_store()
