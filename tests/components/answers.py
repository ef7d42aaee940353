"""AWS's responses for outputs that a component reads and that are none of its inputs."""

from typing import Any

import pytest

from localaws.engine.registration import Registration
from tests import recorder


def answer(monkeypatch: pytest.MonkeyPatch, kind: str, **outputs: Any) -> None:
    """Give every resource of a type, named by its last word, these outputs too. A callable is asked with the name."""
    known = recorder._Echo.register

    def register(self: recorder._Echo, resource: Registration) -> tuple[str, dict[str, Any]]:
        identity, made = known(self, resource)
        if resource.type.rpartition(":")[2] != kind:
            return identity, made
        return identity, made | {key: value(resource) if callable(value) else value for key, value in outputs.items()}

    monkeypatch.setattr(recorder._Echo, "register", register)
