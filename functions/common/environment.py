"""Base class of a function's settings: a pydantic model of its environment variables, validated once.

Environment variables hold names and numbers, never secrets: an invalid value is shown in the error message, except for
fields with `repr=False`, which could hold a secret by mistake.
"""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError


class EnvironmentProblem(ValueError):
    """The function's environment variables are invalid; the message names each one."""


class Environment(BaseModel):
    """Settings; the field `journal_table` is read from the variable `JOURNAL_TABLE`."""

    model_config = ConfigDict(alias_generator=str.upper, extra="ignore", frozen=True, hide_input_in_errors=True)

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """The settings in `variables`. Raises EnvironmentProblem that names every invalid or missing variable."""
        try:
            return cls.model_validate(dict(variables))
        except ValidationError as error:
            raise EnvironmentProblem(cls._explain(error, variables)) from None

    @classmethod
    def _explain(cls, error: ValidationError, variables: Mapping[str, str]) -> str:
        hidden = {name.upper() for name, field in cls.model_fields.items() if not field.repr}
        reasons = []
        for each in error.errors(include_url=False, include_context=False, include_input=False):
            name = ".".join(str(part) for part in each["loc"])
            value = f" (it is {variables[name]!r})" if name in variables else " (it is not set)"
            reasons.append(f"{name}: {each['msg']}{'' if name in hidden & variables.keys() else value}")
        return "correct these environment variables of the function: " + "; ".join(reasons)
