"""The backend of the Pulumi CLI as `dr` finds and repairs it."""

from pathlib import Path

import pytest

from ops.environment import backend


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A stack's state in a `file://` backend whose path has a space, with whole attributes."""
    file = tmp_path / "my state" / ".pulumi" / "stacks" / "dr-primary" / "dev.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    Path(f"{file}.attrs").write_text('{"md5": "abc="}')
    return file


def test_attributes_that_were_left_empty_are_removed_and_nothing_else(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", (tmp_path / "my state").as_uri())
    other = state.with_name("prod.json")
    other.write_text("")
    empty = state.with_name("prod.json.attrs")
    empty.write_text("")

    assert backend.repair() == [empty]
    assert sorted(each.name for each in state.parent.iterdir()) == ["dev.json", "dev.json.attrs", "prod.json"]
    assert backend.repair() == []


def test_the_tilde_is_the_user_s_directory(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file://~/my%20state")
    Path(f"{state}.attrs").write_text("")

    assert [file.name for file in backend.repair()] == ["dev.json.attrs"]


@pytest.mark.parametrize("url", ["s3://states-eu-west-1?region=eu-west-1", "https://api.pulumi.com", ""])
def test_another_backend_is_left_alone(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path))
    monkeypatch.setenv("PULUMI_BACKEND_URL", url)

    assert backend.repair() == []
