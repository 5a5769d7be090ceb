"""What pip installs: one package, `bakeoff`, from a wheel and from an editable install alike."""

import subprocess
import sys
import sysconfig
import tarfile
import zipfile

import pytest

from tests.paths import ROOT

pytestmark = pytest.mark.environments


def run(*command, **more):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    # From a copy without what an earlier build left: setuptools would take stale files from build/.
    tracked = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
    source = folder / "source"
    for name in filter(None, tracked):
        if (ROOT / name).is_file() and name.split("/")[0] in {"harness", "backends", "pyproject.toml", "setup.py"}:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    for name in ("README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    run(sys.executable, "-m", "venv", folder / "builder")  # the environment of the tests may have no pip
    run(folder / "builder" / "bin" / "python", "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, source)
    (built,) = folder.glob("bakeoff-*.whl")
    return built


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """Return a folder with the source distribution and the wheel of a clone, and the clone's commit."""
    folder = tmp_path_factory.mktemp("distributions")
    source = folder / "clone"
    run("git", "clone", "--quiet", "--no-hardlinks", ROOT, source)
    commit = run("git", "describe", "--always", "--abbrev=12", cwd=source).strip()
    run(sys.executable, "-m", "venv", folder / "builder")
    builder = folder / "builder" / "bin" / "python"
    run(builder, "-m", "pip", "install", "build")
    # The wheel is built from the source distribution, which has no repository.
    run(builder, "-m", "build", "--outdir", folder, source)
    return folder, commit


@pytest.fixture(scope="module")
def sdist(distributions):
    (built,) = distributions[0].glob("bakeoff-*.tar.gz")
    return built


@pytest.fixture(scope="module", params=["wheel", "sdist", "editable"])
def python(request, tmp_path_factory):
    """Return an interpreter that has bakeoff in the way named, and what it needs from the interpreter of the tests."""
    folder = tmp_path_factory.mktemp(request.param)
    run(sys.executable, "-m", "venv", folder)
    interpreter = folder / "bin" / "python"
    what = ["--editable", ROOT] if request.param == "editable" else [request.getfixturevalue(request.param)]
    run(interpreter, "-m", "pip", "install", "--no-deps", *what)
    site = run(interpreter, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    # Appended, and after the editable finder of the tests' own interpreter was left out: no .pth file in it is read.
    dependencies = sysconfig.get_path("purelib")
    code = f"import sys; sys.path.append({dependencies!r})\n"
    with open(f"{site}/dependencies.pth", "w", encoding="utf-8") as file:
        file.write(code)
    return interpreter


def test_a_wheel_has_one_top_level_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name.split("/")[0] for name in archive.namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"bakeoff"}


def test_a_wheel_has_every_tracked_file_of_the_package_and_of_the_backends(wheel):
    tracked = run("git", "ls-files", "harness", "backends", cwd=ROOT).split()
    expected = {f"bakeoff/{name.removeprefix('harness/')}" for name in tracked if (ROOT / name).is_file()}
    with zipfile.ZipFile(wheel) as archive:
        assert expected - set(archive.namelist()) == set()


def test_the_package_can_be_imported(python, tmp_path):
    where = run(python, "-c", "import bakeoff; print(bakeoff.__file__)", cwd=tmp_path)
    assert where.strip().endswith("__init__.py")


def test_it_runs_as_a_module(python, tmp_path):
    assert "Usage: python -m bakeoff" in run(python, "-m", "bakeoff", "--help", cwd=tmp_path)


def test_a_wheel_and_a_source_distribution_know_their_commit(distributions):
    folder, commit = distributions
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        assert archive.read("bakeoff/commit.txt").decode().strip() == commit
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        (name,) = [each for each in archive.getnames() if each.endswith("harness/commit.txt")]
        assert archive.extractfile(name).read().decode().strip() == commit


def test_it_finds_its_backends(python, tmp_path):
    listed = run(python, "-m", "bakeoff", "backends", "--json", cwd=tmp_path)
    assert "numpy_plain" in listed
