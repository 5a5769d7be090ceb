"""The licences of Debian packages and of jars are read from what they bring along."""

import os
import zipfile

import pytest
from bakeoff.measures.openness import unpacked

HEADER = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: abacus\n"
MIT_TEXT = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated "
    "documentation files"
)


def write_copyright(root, text, package="abacus"):
    folder = root / "usr" / "share" / "doc" / package
    folder.mkdir(parents=True)
    (folder / "copyright").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("Expat", "MIT"),
        ("BSD-3-clause", "BSD-3-Clause"),
        ("GPL-2", "GPL-2.0-only"),
        ("GPL-2+", "GPL-2.0-or-later"),
        ("LGPL-2.1+", "LGPL-2.1-or-later"),
        ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
        ("BSD-3-clause or GPL-2", "BSD-3-Clause OR GPL-2.0-only"),
        ("GPL-2+ or AFL-2.1, and Expat", "(GPL-2.0-or-later OR AFL-2.1) AND MIT"),
        ("APACHE-2-LLVM-EXCEPTIONS", "Apache-2.0 WITH LLVM-exception"),
        ("public-domain", "public-domain"),
        ("GPL-3+ with Bison exception", "GPL-3+ with Bison exception"),
    ],
)
def test_short_names_of_debian_become_spdx_expressions_where_they_mean_one(tmp_path, named, expected):
    write_copyright(tmp_path, f"{HEADER}\nFiles: *\nCopyright: Ada\nLicense: {named}\n The text.\n")
    assert unpacked.read_debian(tmp_path, "abacus") == (expected,)


def test_each_group_of_files_counts_once_but_not_the_packaging(tmp_path):
    paragraphs = [
        HEADER,
        "Files: *\nCopyright: Ada\nLicense: Zlib\n",
        "Files: beads/*\nCopyright: Blaise\nLicense: Expat\n",
        "Files: wire/* beads/one\nCopyright: Charles\nLicense: Zlib\n",
        f"Files: frame\nCopyright: Charles\nLicense:\n {MIT_TEXT}\n",
        "Files: debian/*\nCopyright: Debian\nLicense: GPL-3+\n",
        "License: GPL-3+\n On Debian systems: /usr/share/common-licenses/GPL-3\n",
    ]
    write_copyright(tmp_path, "\n".join(paragraphs))
    assert unpacked.read_debian(tmp_path, "abacus") == ("Zlib", "MIT")


def test_a_free_text_counts_by_its_wording_and_its_references(tmp_path):
    write_copyright(tmp_path, f"Ada made it.\n\n{MIT_TEXT}\n\nThe rest: see /usr/share/common-licenses/LGPL-2.1.\n")
    assert unpacked.read_debian(tmp_path, "abacus") == ("MIT", "LGPL-2.1")


def test_a_link_is_followed_within_the_folder_alone(tmp_path):
    root, outside = tmp_path / "debian", tmp_path / "outside"
    base = write_copyright(root, f"{HEADER}\nFiles: *\nLicense: Zlib\n", "abacus-base")
    (base.parent / "abacus").symlink_to("abacus-base")
    assert unpacked.read_debian(root, "abacus") == ("Zlib",)
    write_copyright(outside, f"{HEADER}\nFiles: *\nLicense: Zlib\n")
    (base.parent / "beads").symlink_to(outside / "usr" / "share" / "doc" / "abacus")
    (base.parent / "wire").symlink_to("wire")
    (base.parent / "frame").mkdir()
    os.mkfifo(base.parent / "frame" / "copyright")
    for package in ("beads", "wire", "frame", "absent"):
        assert unpacked.read_debian(root, package) == ()


def make_jar(folder, files, name="abacus-1.5.jar"):
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as jar:
        for place, text in files.items():
            jar.writestr(place, text)
    return folder / name


def pom(*names, artifact="abacus", parent=""):
    said = "".join(f"<license><name>{name}</name><url>{url}</url></license>" for name, url in names)
    above = f"<parent><groupId>example</groupId><artifactId>{parent}</artifactId><version>1</version></parent>"
    own = f"<artifactId>{artifact}</artifactId><version>1.5</version>"
    return (
        f'<project xmlns="http://maven.apache.org/POM/4.0.0">{above if parent else "<groupId>example</groupId>"}{own}'
        f"<licenses>{said}</licenses></project>"
    )


POM = "META-INF/maven/example/abacus/pom.xml"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({POM: pom(("The Apache Software License, Version 2.0", ""))}, ("Apache-2.0",)),
        ({POM: pom(("Our own words", "https://www.apache.org/licenses/LICENSE-2.0.txt"))}, ("Apache-2.0",)),
        ({POM: pom(("MIT License", ""), ("LGPL, version 2.1", ""))}, ("MIT OR LGPL-2.1-only",)),
        ({POM: pom(("As you like it", ""), ("MIT", ""))}, ("As you like it", "MIT")),
        ({POM: pom(), "META-INF/LICENSE.txt": MIT_TEXT}, ("MIT",)),
        ({POM: "<project", "LICENSE": MIT_TEXT}, ("MIT",)),
        ({POM: f"<!DOCTYPE project>{pom(('MIT', ''))}"}, ()),
        ({"META-INF/maven/example/beads/pom.xml": pom(("MIT", ""))}, ()),
        (
            {"META-INF/MANIFEST.MF": "Bundle-License: https://www.apache.org/licen\r\n ses/LICENSE-2.0.txt;x=y\r\n"},
            ("Apache-2.0",),
        ),
        ({"META-INF/MANIFEST.MF": 'Bundle-License: "MIT", "Our own"\n'}, ("MIT", "Our own")),
        ({"META-INF/MANIFEST.MF": "Created-By: Ada\n"}, ()),
        ({"example/LICENSE": MIT_TEXT}, ()),
        ({}, ()),
    ],
)
def test_a_jar_says_its_licence_in_one_of_three_places(tmp_path, files, expected):
    assert unpacked.read_jar(make_jar(tmp_path, files)).licences == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("abacus-1.5.jar", ("example", "abacus", "1.5", "")),
        ("abacus-1.5-linux-x86_64.jar", ("example", "abacus", "1.5", "linux-x86_64")),
        ("abacus-1.6.jar", ("example", "abacus", "1.6", "")),
        ("abacus-beads-1.5.jar", (None, "abacus-beads", "1.5", "")),
        ("beads.jar", (None, "beads", "", "")),
    ],
)
def test_a_jar_has_the_coordinates_of_its_project_file(tmp_path, name, expected):
    assert unpacked.read_jar(make_jar(tmp_path, {POM: pom()}, name))[:4] == expected


def test_licences_are_inherited_from_the_project_files_beside_the_jar(tmp_path):
    jar = make_jar(tmp_path, {"META-INF/LICENSE": MIT_TEXT}, "abacus-1.5-linux-x86_64.jar")
    (tmp_path / "abacus-1.5.pom").write_text(pom(parent="frame"))
    (tmp_path / "frame-1.pom").write_text(pom(parent="frame", artifact="frame"))
    assert unpacked.read_jar(jar).licences == ("MIT",)  # a project that inherits from itself has no end
    (tmp_path / "frame-1.pom").write_text(pom(("Zlib", "")))
    assert unpacked.read_jar(jar) == ("example", "abacus", "1.5", "linux-x86_64", ("Zlib",))


def test_the_name_of_a_project_file_has_the_version_that_its_text_has_as_a_variable(tmp_path):
    jar = make_jar(tmp_path, {}, "abacus-0.3-1.5-linux-x86_64.jar")
    (tmp_path / "abacus-0.3-1.5.pom").write_text(pom().replace("1.5", "${beads}-1.5"))
    assert unpacked.read_jar(jar)[:4] == ("example", "abacus", "0.3-1.5", "linux-x86_64")


def test_a_parent_outside_the_folder_is_not_read(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "frame-1.pom").write_text(pom(("Zlib", "")))
    jar = make_jar(tmp_path / "lib", {POM: pom(parent="../frame")})
    assert unpacked.read_jar(jar).licences == ()


def test_of_a_large_file_in_a_jar_the_beginning_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacked, "MOST_BYTES", 100)
    assert unpacked.read_jar(make_jar(tmp_path, {"LICENSE": " " * 10_000_000 + MIT_TEXT})).licences == ()


def test_what_is_no_jar_has_no_licence(tmp_path):
    (tmp_path / "abacus-1.5.jar").write_bytes(b"no archive")
    assert unpacked.read_jar(tmp_path / "abacus-1.5.jar") == (None, "abacus", "1.5", "", ())
    assert unpacked.read_jar(tmp_path / "absent-1.5.jar").licences == ()
    damaged = make_jar(tmp_path, {"LICENSE": MIT_TEXT}, "damaged-1.5.jar")
    content = bytearray(damaged.read_bytes())
    content[40:60] = bytes(20)
    damaged.write_bytes(content)
    assert unpacked.read_jar(damaged).licences == ()
