"""No retired word is used in its former sense: in names, string literals, docstrings, comments and documentation."""

import pytest

from tests.docs.pages import ROOT
from tests.docs.words import (
    DOCUMENTS,
    RETIRED,
    RETIRED_NAMES,
    RETIRED_PROSE,
    SOURCES,
    files_named,
    hits,
    normalized,
    questions,
)


@pytest.mark.parametrize("folder", [*SOURCES, *DOCUMENTS])
def test_no_retired_word_is_used(folder: str) -> None:
    found = [*map(str, hits(folder)), *files_named(folder)]

    assert not found, "\n".join(found)


@pytest.mark.parametrize("folder", SOURCES)
def test_a_docstring_begins_with_the_thing(folder: str) -> None:
    assert questions(folder) == []


def test_every_folder_is_listed() -> None:
    listed = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}

    assert listed <= set(SOURCES)


@pytest.mark.parametrize(
    "text",
    [
        "told_by",
        "_told",
        "ToldBy",
        "DoorsOpen",
        "/app/dev/local/doors",
        "way-back",
        "COME_HOME",
        "LookForWriter",
        "_Owed",
    ],
)
def test_a_retired_word_is_found_in_each_spelling(text: str) -> None:
    assert RETIRED.search(normalized(text))


@pytest.mark.parametrize("text", ["saidah", "doorstep", "outlook", "front door", "retell", "front-door-nlb"])
def test_other_words_with_the_same_letters_are_not(text: str) -> None:
    assert not RETIRED.search(normalized(text))


@pytest.mark.parametrize("name", ["look", "last_look", "around", "at_home", "homes", "looks_at", "patience"])
def test_names_have_further_retired_words(name: str) -> None:
    assert RETIRED_NAMES.search(normalized(name))
    assert not RETIRED_NAMES.search(normalized("look_up"))


@pytest.mark.parametrize("text", ["whoever asks", "written anew", "a table of ours", "it stands there"])
def test_markdown_has_further_retired_words(text: str) -> None:
    assert RETIRED_PROSE.search(normalized(text))
    assert not RETIRED_PROSE.search(normalized("a stand-in that understands"))
