"""Every pin of the project has a hash, and files of pins are read as pip reads them."""

from pathlib import Path

import pytest
from bakeoff import environments
from bakeoff.registry import entries, pins

from tests import pins as maintenance

DIGEST = "sha256:" + "0" * 64
HARNESS = Path(environments.__file__).parent
WITHOUT_HASH = {("pytorch/requirements-cpu.txt", "torch==2.13.0+cpu")}
"""The pins without a hash, by file: each file says why in its first lines."""


def files_of_pins():
    folder = entries.backends_folder()
    own = [part.requirements for entry in entries.read_all().values() for part in entry.parts]
    builds = [
        entry.folder / each.requirements
        for entry in entries.read_all().values()
        for each in entry.description.builds.values()
    ]
    exports = [*folder.glob("*/export*.txt"), *folder.glob("_serving/**/*.txt")]
    return {
        path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name: path
        for path in (*own, *builds, *exports, HARNESS / "installer.txt", HARNESS / "builder.txt")
    }


@pytest.mark.parametrize("name", sorted(files_of_pins()))
def test_every_package_is_pinned_with_hashes(name):
    path = files_of_pins()[name]
    lines = pins.read_pins(path)
    assert lines
    for line in lines:
        if line.is_option:
            assert line.text.startswith("--no-binary "), f"{name}:{line.number}: an option that chooses an index?"
        else:
            assert line.version, f"{name}:{line.number}: not pinned by =="
            assert bool(line.hashes) == ((name, line.text.split(" ")[0]) not in WITHOUT_HASH), f"{name}:{line.number}"
            assert all(each.startswith("sha256:") and len(each) == len(DIGEST) for each in line.hashes)
    text = path.read_text()
    assert "://" not in text
    for file, pin in WITHOUT_HASH:
        assert name != file or text.startswith(f"# {pin.replace('==', ' ')} has no hash: ")


def test_a_build_has_the_versions_and_hashes_of_the_usual_packages():
    written = [pair for name in entries.read_all() for pair in maintenance.builds_of(name)]
    assert written
    for usual, build in written:
        assert build.read_text() == maintenance.write_build(usual, build)
        assert len(pins.read_pins(build)) > 5


def test_the_pins_of_a_build_follow_those_of_the_backend(tmp_path):
    usual, build = tmp_path / "requirements.txt", tmp_path / "requirements-cpu.txt"
    usual.write_text(
        f"abacus==1.6 \\\n    --hash={DIGEST}\nbead-s==2 ; sys_platform == 'linux' --hash={DIGEST}\nwire==1\n"
    )
    build.write_text(
        "# Why.\nabacus==1.5+cpu ; platform_system != 'Darwin'\nabacus==1.5 ; platform_system == 'Darwin'\nbead_s==1\n"
    )
    assert maintenance.write_build(usual, build).splitlines() == [
        "# Why.",
        'abacus==1.6+cpu ; platform_system != "Darwin"',
        'abacus==1.6 ; platform_system == "Darwin" \\',
        f"    --hash={DIGEST}",
        "bead-s==2 \\",
        f"    --hash={DIGEST}",
    ]


@pytest.mark.parametrize("name", ["installer", "builder", *entries.read_all()])
def test_pins_are_written_from_a_file_that_says_what_is_wanted(name):
    for source, written, python in maintenance.sources_of(name):
        wanted = pins.read_pins(source)
        assert wanted, f"{source}: empty"
        pinned = {
            line.requirement.name.lower().replace("_", "-") for line in pins.read_pins(written) if not line.is_option
        }
        for line in wanted:
            if line.is_option:
                assert "source only" in source.read_text().splitlines()[0], f"{source}: says no reason for {line.text}"
            else:
                assert line.requirement.name.lower().replace("_", "-") in pinned
        assert python.startswith("3.")


@pytest.mark.parametrize("minor", range(6, 16))
def test_each_python_has_one_pip(minor):
    version = f"3.{minor}.5"
    environment = {"python_full_version": version, "python_version": f"3.{minor}"}
    lines = [
        line
        for line in pins.read_pins(HARNESS / "installer.txt")
        if line.requirement.marker is None or line.requirement.marker.evaluate(environment)
    ]
    assert [line.requirement.name for line in lines] == ["pip"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a==1\n", [(1, "a==1", 0)]),
        (f"# b\n\na==1 \\\n    --hash={DIGEST} \\\n    --hash={DIGEST}\nb==2", [(3, "a==1", 2), (6, "b==2", 0)]),
        (f'a==1 ; python_version < "3" --hash={DIGEST}  # why', [(1, 'a==1 ; python_version < "3"', 1)]),
        ("--no-binary a\na @ file:///x.whl#egg=a\n", [(1, "--no-binary a", 0), (2, "a @ file:///x.whl#egg=a", 0)]),
        ("a==1 \\", [(1, "a==1", 0)]),
        ("\\\n\\\n", []),
    ],
)
def test_lines_are_joined_and_hashes_taken_from_them(tmp_path, text, expected):
    (tmp_path / "pins.txt").write_text(text)
    found = pins.read_pins(tmp_path / "pins.txt")
    assert [(line.number, line.text, len(line.hashes)) for line in found] == expected


def test_packages_from_source_are_named(tmp_path):
    (tmp_path / "pins.txt").write_text("--no-binary theano\n--no-binary=lasagne\na==1\n")
    lines = pins.read_pins(tmp_path / "pins.txt")
    assert pins.built_from_source(lines) == ["theano", "lasagne"]
    assert not pins.is_hashed(lines)


@pytest.mark.parametrize(
    ("specifier", "lowest"), [(">=3.11", "3.11"), (">=3.6,<3.7", "3.6"), (">=3.9.7,<3.12", "3.9"), ("==3.8.*", "3.8")]
)
def test_pins_hold_for_the_oldest_python_that_is_declared(specifier, lowest):
    assert maintenance.lowest_python(specifier) == lowest
