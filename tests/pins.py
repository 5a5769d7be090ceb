"""Writes the pins of backends anew with uv, every file of every release with its hash, and checks what they install.

    tox run -e pins -- numpy_plain                 the same versions, and the hashes that the index has today
    tox run -e pins -- --upgrade numpy_plain       the newest versions that requirements.in allows
    tox run -e pins -- installer builder           pip itself, and what builds packages from source

The pins of a build that only the framework's own index has are written after those of the backend: the same versions,
with the same hashes, and no hash for what this index alone has.

A backend has a file NAME.in beside each NAME.txt of pins: the packages that it uses itself, with an upper limit and its
reason where there is one, and a line `--no-binary PACKAGE` for one that was published as source only. Afterwards
`bakeoff setup` builds each environment and runs the checks: exit code 1 where one fails.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from bakeoff import environments
from bakeoff.common.errors import InputError
from bakeoff.registry import entries
from bakeoff.registry.pins import read_pins
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

BUILDER = Path(environments.__file__).parent / "builder.txt"
OWN = {"installer": "3.6", "builder": "3.8"}
"""The pins of the harness itself, in harness/environments, and the oldest Python that they hold for."""


def lowest_python(specifier: str) -> str:
    """Return the oldest minor version of Python 3 that satisfies the specifier, such as "3.11"."""
    wanted = SpecifierSet(specifier)
    return next(f"3.{minor}" for minor in range(100) if any(wanted.contains(f"3.{minor}.{p}") for p in range(30)))


def compile_command(source: Path, pins: Path, python: str, name: str, upgrade: bool) -> list[str]:
    """Return the command that writes the file `pins` from the file `source`."""
    return [
        *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", python, "--generate-hashes"),
        *("--no-annotate", "--emit-build-options", "--custom-compile-command", f"tox run -e pins -- {name}"),
        # What was published as source only says what it requires when it is built: by what builds it in an environment.
        *(["--build-constraints", str(BUILDER)] if name not in OWN else []),
        *(["--upgrade"] if upgrade else []),
        *(str(source), "-o", str(pins)),
    ]


def sources_of(name: str) -> list[tuple[Path, Path, str]]:
    """Return (source, pins, oldest Python) of each file of pins of a backend, or of the harness itself."""
    if name in OWN:
        folder = Path(environments.__file__).parent
        return [(folder / f"{name}.in", folder / f"{name}.txt", OWN[name])]
    entry = entries.read_entry(entries.backends_folder() / name)
    python = lowest_python(entry.description.python)
    files = {part.requirements for part in entry.parts}
    return [(path.with_suffix(".in"), path, python) for path in sorted(files)]


def write_build(pins: Path, build: Path) -> str:
    """Return the content of the file `build`, with the versions and hashes of `pins` in the place of its own.

    A version with a local part, such as 2.13.0+cpu, keeps it, and has no hash.
    """
    released = {canonicalize_name(line.requirement.name): line for line in read_pins(pins) if not line.is_option}
    head = [line for line in build.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    body = []
    for line in read_pins(build):
        requirement = line.requirement
        found = released[canonicalize_name(requirement.name)]
        local = (line.version or "").partition("+")[2]
        marker = f" ; {requirement.marker}" if requirement.marker else ""
        hashes = [] if local else found.hashes
        body.append(
            " \\\n    ".join(
                (
                    f"{found.requirement.name}=={found.version}{'+' if local else ''}{local}{marker}",
                    *(f"--hash={digest}" for digest in hashes),
                )
            )
        )
    return "\n".join([*head, *body]) + "\n"


def builds_of(name: str) -> list[tuple[Path, Path]]:
    """Return (pins, pins of the build) of each build of a backend that an index of its own has."""
    if name in OWN:
        return []
    entry = entries.read_entry(entries.backends_folder() / name)
    asked = [entry._replace(build_name=each) for each in entry.description.builds]
    return [(part._replace(build_name="").requirements, part.requirements) for part in asked if part.build]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    described = sorted(path.parent.name for path in entries.backends_folder().glob("[!_.]*/backend.toml"))
    parser.add_argument("names", nargs="+", metavar="NAME", choices=[*OWN, *described])
    parser.add_argument("--upgrade", action="store_true", help="Take the newest versions that are allowed.")
    given = parser.parse_args()
    try:
        write_pins(given.names, given.upgrade)
    except InputError as error:
        sys.exit(str(error))
    backends = [name for name in given.names if name not in OWN]
    if backends:
        done = subprocess.run([sys.executable, "-m", "bakeoff", "setup", ",".join(backends)], check=False)
        sys.exit(done.returncode)


def write_pins(names: list[str], upgrade: bool) -> None:
    """Write the files of pins of backends, or of the harness itself. Raises InputError for a wrong backend.toml."""
    for name in names:
        folder = entries.backends_folder() / name
        if (folder / "requirements.in").is_file():
            (folder / "requirements.txt").touch()  # a backend without it is not read, and here it is what is asked for
        for source, pins, python in sources_of(name):
            done = subprocess.run(compile_command(source, pins, python, name, upgrade), check=False)
            if done.returncode:
                sys.exit(f"{pins}: uv could not write it from {source.name}; it says why above.")
            print(f"{pins}: written from {source.name}", flush=True)
        for pins, build in builds_of(name):
            build.write_text(write_build(pins, build), encoding="utf-8")
            print(f"{build}: written from {pins.name}", flush=True)


if __name__ == "__main__":
    main()
