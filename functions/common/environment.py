"""The base of a function's settings: a model of its environment variables, read once, with errors that name them.

A function's environment holds names and numbers, never a secret: a wrong value is shown in the error, except of a
field with `repr=False`, where someone could have put a secret by mistake.
"""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError


class EnvironmentProblem(ValueError):
    """The function's environment variables are wrong; the message names each one."""


class Environment(BaseModel):
    """Settings whose field `journal_table` is read from the variable `JOURNAL_TABLE`."""

    model_config = ConfigDict(alias_generator=str.upper, extra="ignore", frozen=True, hide_input_in_errors=True)

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """The settings found in `variables`. Raises EnvironmentProblem naming every wrong or missing variable."""
        try:
            return cls.model_validate(dict(variables))
        except ValidationError as error:
            raise EnvironmentProblem(cls._explain(error, variables)) from None

    @classmethod
    def _explain(cls, error: ValidationError, variables: Mapping[str, str]) -> str:
        hidden = {name.upper() for name, field in cls.model_fields.items() if not field.repr}
        reasons = []
        for found in error.errors(include_url=False, include_context=False, include_input=False):
            name = ".".join(str(part) for part in found["loc"])
            value = f" (it is {variables[name]!r})" if name in variables else " (it is not set)"
            reasons.append(f"{name}: {found['msg']}{'' if name in hidden & variables.keys() else value}")
        return "set these environment variables of the function right: " + "; ".join(reasons)
