"""A patch applies exactly, or the message names the file, the hunk and the line."""

import shutil

import pytest
from bakeoff.common.errors import InputError
from bakeoff.measures.ease.changes import read_patched
from bakeoff.measures.ease.patches import apply_patch, parse_patch

from tests.measures.ease.changed_backends import ENTRIES, diff

OLD = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n"


def put_in(patch, old=OLD):
    """Return `old` with a patch of model.py applied."""
    return apply_patch(old, parse_patch(patch, "some.patch")["model.py"], "model.py", "some.patch")


@pytest.mark.parametrize(
    "new",
    [
        OLD.replace("two", "2"),
        OLD.replace("two\n", "").replace("nine\n", "nine\nnine and a half\n"),
        f"zero\n{OLD}",
        f"{OLD}eleven\n",
        OLD.replace("one\n", ""),
        OLD.replace("ten\n", "\n\n"),
    ],
)
def test_a_patch_makes_the_new_text(new):
    assert put_in(diff(OLD, new)) == new


def test_a_patch_that_only_puts_in_needs_no_lines_around_it():
    assert put_in("--- a/model.py\n+++ b/model.py\n@@ -2,0 +3 @@\n+two and a half\n") == OLD.replace(
        "two\n", "two\ntwo and a half\n"
    )


@pytest.mark.parametrize(
    ("old", "line", "found"),
    [
        (OLD.replace("nine", "NINE"), 9, "'NINE'"),
        (f"zero\n{OLD}", 1, "'zero'"),
        (OLD.replace("eight\nnine\nten\n", ""), 8, "''"),
    ],
)
def test_a_patch_that_does_not_fit_exactly_is_refused_with_file_hunk_and_line(old, line, found):
    patch = diff(OLD, OLD.replace("two", "2").replace("nine", "9"))
    with pytest.raises(InputError, match=r"some\.patch: hunk \d does not apply to model\.py") as refused:
        put_in(patch, old)
    assert f"at line {line}, found {found}" in str(refused.value)
    assert f"hunk {1 if line == 1 else 2} " in str(refused.value)


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ("", "expected a unified diff"),
        ("one\n", "some.patch:1: expected `--- a/FILE`"),
        ("--- a/model.py\n+++ b/other.py\n@@ -1 +1 @@\n-one\n+1\n", "expected `--- a/FILE`"),
        ("--- a/model.py\n+++ b/model.py\n", "expected a hunk"),
        ("--- a/model.py\n+++ b/model.py\none\n", "some.patch:3: expected a hunk"),
        (
            "--- a/model.py\n+++ b/model.py\n@@ -1,2 +1,2 @@\n-one\n+1\n",
            "declares 2 lines before the change and 2 after it, and its body has 1 and 1",
        ),
        (
            "--- a/model.py\n+++ b/model.py\n@@ -1 +1 @@\n-one\n-two\n+1\n",
            "declares 1 lines before the change and 1 after it",
        ),
        ("--- a/model.py\n+++ b/model.py\n@@ -1 +1 @@\n-one\n+1\n two\n", "some.patch:6: expected a hunk"),
        ("--- a/model.py\n+++ b/model.py\n@@ -1 +1 @@\n-one\n\\ No newline at end of file\n+1\n", "declares"),
    ],
)
def test_what_is_no_patch_is_refused_with_its_line(patch, message):
    with pytest.raises(InputError) as refused:
        parse_patch(patch, "some.patch")
    assert message in str(refused.value)


def test_hunks_may_not_lie_over_each_other():
    head = "--- a/model.py\n+++ b/model.py\n"
    with pytest.raises(InputError, match="hunk 2 does not apply"):
        put_in(f"{head}@@ -2,2 +2,2 @@\n two\n-three\n+3\n@@ -3 +3 @@\n-three\n+drei\n")


def test_a_patch_of_another_file_is_refused(tmp_path):
    folder = shutil.copytree(ENTRIES["numpy_plain"].folder, tmp_path / "numpy_plain")
    toml = (folder / "backend.toml").read_text(encoding="utf-8")
    patch = tmp_path / "some.patch"
    patch.write_text(diff(toml, toml.replace("NumPy", "Numpy"), "backend.toml"), encoding="utf-8")
    with pytest.raises(InputError, match=r"changes backend\.toml: expected changes of model\.py and adapter\.py only"):
        read_patched(folder, "model.py", patch)
