"""A bill of materials lists what is in an environment, and is what the CycloneDX schema asks for."""

import json
import zipfile

import pytest
from bakeoff import environments
from bakeoff.cli.app import app
from bakeoff.common.errors import InputError
from bakeoff.environments import Environment
from bakeoff.measures.openness import sbom
from bakeoff.registry import entries
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from typer.testing import CliRunner


@pytest.fixture
def environment(tmp_path):
    """Return an environment with three packages, whose licences are said in three ways."""
    folder = tmp_path / "abacus-0123456789ab"
    for name, more in {
        "Abacus": "License-Expression: MIT OR Apache-2.0",
        "beads": "License: As you like it",
        "Wire": "Classifier: Programming Language :: Python",
    }.items():
        info = folder / "lib" / "python3.11" / "site-packages" / f"{name}-1.5.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.5\n{more}\n")
    return Environment(folder / "bin" / "python", folder, 1.0, 2, {"abacus": "1.5"})


def components(made):
    return {each["purl"]: each for each in made["components"]}


def test_packages_are_listed_with_their_licences(environment):
    made = sbom.make_sbom(entries.read_all()["numpy_plain"], environment)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(made)) is None
    found = components(made)
    assert set(found) == {"pkg:pypi/abacus@1.5", "pkg:pypi/beads@1.5", "pkg:pypi/wire@1.5"}
    assert found["pkg:pypi/abacus@1.5"]["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert found["pkg:pypi/beads@1.5"]["licenses"] == [{"license": {"name": "As you like it"}}]
    assert "licenses" not in found["pkg:pypi/wire@1.5"]
    assert made["metadata"]["component"]["name"] == "numpy_plain"


def test_debian_packages_have_their_checksums_and_licences(environment):
    entry = entries.read_all()["caffe2_nets"]
    for package, named in {"python3-torch": "Expat, and Zlib", "libzstd1": "BSD-3-clause", "libuv1": "Ours"}.items():
        folder = environment.folder / "debian" / "usr" / "share" / "doc" / package
        folder.mkdir(parents=True)
        (folder / "copyright").write_text(
            f"Format: 1.0\n\nFiles: *\nLicense: {named}\n\nFiles: more/*\nLicense: GPL-2+\n"
        )
    made = sbom.make_sbom(entry, environment)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(made)) is None
    (torch,) = [each for purl, each in components(made).items() if purl.startswith("pkg:deb/debian/python3-torch@")]
    assert len(torch["hashes"][0]["content"]) == 64
    assert torch["purl"].endswith("?arch=amd64&distro=bullseye")
    said = {each["name"]: each.get("licenses") for each in made["components"]}
    assert said["python3-torch"] == [{"expression": "(MIT AND Zlib) AND GPL-2.0-or-later"}]
    assert said["libzstd1"] == [{"expression": "BSD-3-Clause AND GPL-2.0-or-later"}]
    assert said["libuv1"] == [{"license": {"name": "GPL-2.0-or-later"}}, {"license": {"name": "Ours"}}]
    assert said["libfmt7"] is None


def test_java_libraries_have_the_group_and_the_licence_that_are_written_in_them(environment):
    entry = entries.read_all()["dl4j_java"]
    folder = environment.folder / "maven" / "lib"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "commons-codec-1.10.jar", "w") as jar:
        jar.writestr(
            "META-INF/maven/commons-codec/commons-codec/pom.xml",
            "<project><groupId>commons-codec</groupId><artifactId>commons-codec</artifactId></project>",
        )
        jar.writestr("META-INF/MANIFEST.MF", "Bundle-License: Apache-2.0\n")
    (folder / "byteunits-0.9.1.jar").write_bytes(b"no archive")
    (folder / "javacpp-1.5.7.pom").write_text(
        "<project><groupId>org.bytedeco</groupId><artifactId>javacpp</artifactId><version>1.5.7</version></project>"
    )
    found = components(sbom.make_sbom(entry, environment))
    codec = found["pkg:maven/commons-codec/commons-codec@1.10"]
    assert codec["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert "pkg:generic/byteunits@0.9.1" in found
    assert "pkg:maven/org.bytedeco/javacpp@1.5.7?classifier=linux-x86_64" in found


def test_the_command_writes_a_file_for_each_environment(environment, tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "find", lambda *_: environment)
    monkeypatch.setattr(environments, "find_changes", lambda *_: (1, []))
    words = ["setup", "numpy_plain", "--verify", "--sbom", str(tmp_path / "bills")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    made = json.loads((tmp_path / "bills" / "numpy_plain.cdx.json").read_text())
    assert made["bomFormat"] == "CycloneDX"


def test_a_folder_that_cannot_be_made_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "build_all", lambda *_, **__: pytest.fail("work began"))
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(app, ["setup", "numpy_plain", "--sbom", str(tmp_path / "file" / "below")])
    assert isinstance(result.exception, InputError)
    assert "cannot be written" in str(result.exception)
