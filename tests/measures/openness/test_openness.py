"""Openness shows facts with their age, reads what is installed from its files, and names what contradicts what."""

import datetime
import json
import sys
from pathlib import Path

import pytest
from bakeoff.cli import app
from bakeoff.common.errors import InputError
from bakeoff.environments import interpreters
from bakeoff.environments.build import environment_folder
from bakeoff.measures.openness import facts, licences
from bakeoff.registry import description, entries

from tests.paths import ROOT

TODAY = datetime.date(2026, 11, 22)

DESCRIPTION = """
title = "Abacus"
package = "abacus-core"
import_name = ["abacus"]
python = ">=3.11,<4"
variants = ["eager"]
documentation = ["https://abacus.example/guide"]

[openness]
licence = {{ value = "{licence}", source = "abacus LICENSE", asof = "2026-11-01" }}
licence_declared = {{ value = "{declared}", source = "abacus 2.1 METADATA", asof = "2026-11-01" }}
governance = {{ value = "one person", source = "README", asof = "2024" }}
first_release_date = {{ value = "1999", source = "tag", asof = "1999-01-01" }}
"""

PINS = '# pinned\nabacus_core==2.0\nBeads==1.0 ; python_version >= "3.0"\nsand==1 ; python_version < "3"\n'

THIRD = """
Name: OpenBeads
Files: abacus/lib/libbeads.so
License: GPL-3.0-or-later WITH GCC-exception-3.1

Name: Frame
License: MIT
"""


@pytest.fixture
def make_entry(tmp_path):
    """Return a backend of a made-up framework: make_entry(licence=, declared=, pins=)."""

    def make(licence="MIT", declared="MIT", pins=PINS):
        folder = tmp_path / "backends" / "abacus_plain"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "backend.toml").write_text(DESCRIPTION.format(licence=licence, declared=declared))
        for name, text in (("model.py", ""), ("adapter.py", ""), ("requirements.txt", pins)):
            (folder / name).write_text(text)
        return entries.read_entry(folder)

    return make


def install(folder, name, version, metadata="License-Expression: MIT\n", files=None):
    """Put a distribution into an environment's folder, as pip leaves it."""
    site = folder / "lib" / "python3.11" / "site-packages"
    about = f"{name.replace('-', '_')}-{version}.dist-info"
    written = {f"{about}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}"}
    written |= {path.replace("ABOUT", about): text for path, text in (files or {}).items()}
    for path, text in written.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text, encoding="utf-8")
    (site / about / "RECORD").write_text("".join(f"{path},,\n" for path in (*written, f"{about}/RECORD")))


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Return a way to put an environment where that of an entry belongs: it gives the folder, with the pins in it."""
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))

    def make(entry, abacus="License-Expression: MIT\n", files=None, version="2.0"):
        interpreter = interpreters.find_interpreter(entry.description.python)
        folder = environment_folder(entry, interpreter)
        folder.mkdir(parents=True)
        (folder / "built.json").write_text(json.dumps({"seconds": 1, "bytes": 1, "packages": {}}))
        (folder / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.7\n")
        install(folder, "abacus-core", version, abacus, {"abacus/__init__.py": "raise SystemExit(3)", **(files or {})})
        install(folder, "Beads", "1.0")
        install(folder, "pip", "23.0")
        return folder

    return make


# The age of facts


@pytest.mark.parametrize(
    ("asof", "age"),
    [
        ("2025-11-22", ""),
        ("2025-11-21", "stale"),
        ("2025-11", ""),
        ("2025-10", "stale"),
        ("2025", ""),
        ("2024", "stale"),
        ("unknown", "undated"),
        ("unknown (stored version)", "undated"),
        ("2022-09-23; 2022-10-03; 2026-05-28", ""),
        ("2018-08-16 / 2024-02-13", "stale"),
        ("2021 in the text; commit date not in the index", "stale"),
        ("2026-13-40", "undated"),
    ],
)
def test_a_fact_is_stale_when_its_source_is_certainly_more_than_a_year_old(asof, age):
    assert facts.rate_age(asof, TODAY) == age


def test_a_fact_of_29_february_grows_old_too():
    assert facts.rate_age("2023-02-27", datetime.date(2024, 2, 29)) == "stale"
    assert facts.rate_age("2023-02-28", datetime.date(2024, 2, 29)) == ""


def test_the_past_is_never_stale():
    assert facts.rate_age("1999-01-01", TODAY, past=True) == ""
    assert facts.rate_age("unknown", TODAY, past=True) == "undated"
    assert set(description.Openness.model_fields) > facts.PAST


def test_facts_come_with_source_and_age_and_the_rest_is_unknown(make_entry, monkeypatch, tmp_path):
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    view = facts.read_openness(make_entry(), TODAY)
    assert [(fact.key, fact.source, fact.age) for fact in view.facts] == [
        ("licence", "abacus LICENSE", ""),
        ("licence_declared", "abacus 2.1 METADATA", ""),
        ("governance", "README", "stale"),
        ("first_release_date", "tag", ""),
    ]
    assert {*view.unknown, *(fact.key for fact in view.facts)} == set(description.Openness.model_fields)
    assert "trademark" in view.unknown


def test_an_environment_that_is_not_built_is_said_to_be_none(make_entry, monkeypatch, tmp_path):
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    view = facts.read_openness(make_entry(), TODAY)
    assert view.environment.startswith("not built: run `bakeoff setup ")
    assert view.environment.endswith("abacus_plain`")
    assert (view.packages, view.findings) == ((), ())


# What is installed


def test_packages_are_read_from_their_files_and_nothing_is_run(make_entry, build):
    entry = make_entry()
    build(entry, files={"ABOUT/licenses/LICENSE": "words", "abacus/lib/libbeads.so.3": "", "abacus/tool.dylib": ""})
    view = facts.read_openness(entry, TODAY)
    assert view.environment is None
    assert [(each.name, each.version, each.declared.spdx) for each in view.packages] == [
        ("abacus-core", "2.0", "MIT"),
        ("Beads", "1.0", "MIT"),
        ("pip", "23.0", "MIT"),
    ]
    assert view.framework == ("abacus-core",)
    assert view.packages[0].libraries == ("abacus/lib/libbeads.so.3", "abacus/tool.dylib")
    assert view.packages[0].modules == ("abacus",)
    assert view.findings == ()


def test_licence_files_are_found_by_place_name_and_metadata(make_entry, build):
    entry = make_entry()
    notices = {
        "ABOUT/licenses/AUTHORS": "",
        "ABOUT/licenses/third_party/frame/LICENSE.txt": "Apache License\nVersion 2.0, January 2004",
        "ABOUT/odd.txt": "",
        "abacus/THIRD_PARTY_NOTICES.txt": THIRD,
        "abacus/vendor/COPYING": "",
    }
    others = {"abacus/license.py": "", "ABOUT/other.txt": "", "abacus/prelicense.txt": "", "abacus/notice.h": ""}
    build(entry, "License-Expression: MIT\nLicense-File: odd.txt\n", {**notices, **others})
    package = facts.read_openness(entry, TODAY).packages[0]
    about = "abacus_core-2.0.dist-info"
    assert {notice.path for notice in package.notices} == {path.replace("ABOUT", about) for path in notices}
    found = {notice.path.rpartition("/")[2]: notice for notice in package.notices}
    assert found["LICENSE.txt"].of == "third_party/frame"
    assert found["LICENSE.txt"].licences == ("Apache-2.0",)
    assert found["COPYING"].of == "abacus/vendor"
    assert [tuple(part) for part in found["THIRD_PARTY_NOTICES.txt"].components] == [
        ("OpenBeads", "GPL-3.0-or-later WITH GCC-exception-3.1"),
        ("Frame", "MIT"),
    ]
    assert package.named == {"Apache-2.0": 1, "GPL-3.0-or-later WITH GCC-exception-3.1": 1, "MIT": 1}
    assert package.undeclared == ("Apache-2.0", "GPL-3.0-or-later WITH GCC-exception-3.1")


# Several environments

SEVERAL = """
[environments.wood]
variants = ["eager"]
requirements = "requirements-wood.txt"

[environments.iron]
variants = ["cast"]
requirements = "requirements-iron.txt"

[openness]
"""


@pytest.fixture
def in_two(make_entry, build):
    """Return a backend with two environments, and a way to build those of these names."""
    folder = make_entry().folder
    toml = (folder / "backend.toml").read_text()
    toml = toml.replace('["eager"]', '["eager", "cast"]').replace("[openness]", SEVERAL, 1)
    (folder / "backend.toml").write_text(toml)
    for name, beads in (("wood", "1.0"), ("iron", "1.0\nrust==7")):
        (folder / f"requirements-{name}.txt").write_text(f"abacus_core==2.0\nBeads=={beads}\n")
    entry = entries.read_entry(folder)
    return entry, {part.part: part for part in entry.parts}


def build_part(part, build, **installed):
    """Build the environment of a part, with more packages."""
    folder = build(part)
    for name, version in installed.items():
        install(folder, name, version)


@pytest.mark.parametrize("asked", ["", "wood", "iron"], ids=["whole", "first", "last"])
def test_every_environment_of_a_backend_is_read(in_two, build, asked):
    entry, parts = in_two
    build_part(parts["wood"], build)
    build_part(parts["iron"], build, rust="8")
    view = facts.read_openness(parts.get(asked, entry), TODAY)
    assert [(each.name, each.version, each.environments) for each in view.packages] == [
        ("abacus-core", "2.0", ("wood", "iron")),
        ("Beads", "1.0", ("wood", "iron")),
        ("pip", "23.0", ("wood", "iron")),
        ("rust", "8", ("iron",)),
    ]
    assert (view.environment, view.unread, view.framework) == (None, {}, ("abacus-core",))
    assert view.findings == ("requirements-iron.txt pins rust 7, and 8 is installed.",)


def test_of_several_environments_those_that_are_not_built_are_named(in_two, build):
    entry, parts = in_two
    assert facts.read_openness(entry, TODAY).environment.startswith("not built: run `bakeoff setup ")
    assert facts.read_openness(entry, TODAY).unread == {}
    build_part(parts["iron"], build, rust="7")
    view = facts.read_openness(entry, TODAY)
    assert view.environment is None
    assert list(view.unread) == ["wood"]
    assert view.unread["wood"].startswith("not built: run `bakeoff setup ")
    assert {each.environments for each in view.packages} == {("iron",)}
    assert view.findings == ()


def test_what_is_not_in_every_environment_is_shown_with_its_own(in_two, build, bakeoff, monkeypatch):
    entry, parts = in_two
    build_part(parts["wood"], build)
    build_part(parts["iron"], build, rust="7")
    monkeypatch.setattr(entries, "backends_folder", lambda: entry.folder.parent)
    _, out, _ = bakeoff("abacus_plain")
    assert "Beads 1.0, abacus-core 2.0, pip 23.0, rust 7 (iron)" in out


# Contradictions


def findings(entry):
    return list(facts.read_openness(entry, TODAY).findings)


@pytest.mark.parametrize(
    ("licence", "metadata", "words"),
    [
        (
            "BSD-3-Clause",
            "License-Expression: MIT\n",
            ["abacus-core 2.0 declares the licence MIT;", "says BSD-3-Clause"],
        ),
        ("MIT", "License: Abacus Licence\n", ["Abacus Licence (not an SPDX expression)"]),
        ("MIT", "", ["declares the licence not stated"]),
        (
            "MIT",
            "License: MIT\nClassifier: License :: OSI Approved :: BSD License\n",
            ["contradicts itself", "BSD License"],
        ),
    ],
)
def test_another_licence_is_a_contradiction(make_entry, build, licence, metadata, words):
    entry = make_entry(licence=licence, declared=licence)
    build(entry, metadata)
    text = findings(entry)[0]
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("licence", "declared", "metadata"),
    [
        ("MIT", "MIT AND Zlib", "License-Expression: Zlib AND MIT\n"),
        (
            "Apache-2.0",
            "Apache 2.0",
            "License: Apache 2.0\nClassifier: License :: OSI Approved :: Apache Software License\n",
        ),
        ("GPL-3.0-or-later", "GPL-3.0-or-later", "License-Expression: GPL-3.0-or-later\n"),
    ],
)
def test_the_same_licence_in_other_words_is_none(make_entry, build, licence, declared, metadata):
    entry = make_entry(licence=licence, declared=declared)
    build(entry, metadata)
    assert [text for text in findings(entry) if "declares the licence" in text or "itself" in text] == []


def test_a_classifier_can_mean_several_licences():
    vague = licences.read_declared(None, None, ["License :: OSI Approved :: BSD License"])
    assert (vague.words, vague.spdx) == ("BSD License", None)
    assert vague.covers("BSD-3-Clause")
    assert not vague.covers("MIT")
    exact = licences.read_declared(None, None, ["License :: OSI Approved :: MIT License"])
    assert exact.spdx == "MIT"


def test_a_licence_that_is_a_whole_text_is_not_repeated():
    assert licences.read_declared(None, "Copyright (c) us\nAll rights reserved.").words == "the text of a licence"
    assert licences.read_declared(None, "UNKNOWN").words == licences.read_declared(None, None).words == "not stated"


def test_the_parts_that_another_version_declared_are_named(make_entry, build):
    entry = make_entry(declared="MIT AND ISC AND Zlib")
    build(entry, "License-Expression: MIT AND BSL-1.0\n")
    (text,) = findings(entry)
    assert text.endswith("(abacus 2.1 METADATA, 2026-11-01): without ISC, without Zlib, with BSL-1.0.")


@pytest.mark.parametrize(
    ("pins", "words"),
    [
        (PINS.replace("2.0", "2.1"), "requirements.txt pins abacus-core 2.1, and 2.0 is installed."),
        (
            PINS.replace("Beads==1.0 ;", "Beads==1.0\nlost==3 ;"),
            "requirements.txt pins lost 3, and it is not installed.",
        ),
        (PINS.replace("Beads", "#"), "beads 1.0 is installed, and requirements.txt does not pin it."),
    ],
)
def test_what_is_not_pinned_as_installed_is_a_contradiction(make_entry, build, pins, words):
    entry = make_entry(pins=pins)
    build(entry)
    assert findings(entry) == [words]


def test_a_build_of_the_pinned_version_is_that_version(make_entry, build):
    entry = make_entry()
    build(entry, version="2.0+cpu")
    assert findings(entry) == []


def test_a_package_that_is_not_there_is_a_contradiction(make_entry, build):
    entry = make_entry(pins="Beads==1.0\n")
    folder = build(entry)
    for path in (folder / "lib/python3.11/site-packages/abacus_core-2.0.dist-info").iterdir():
        path.unlink()
    assert any("backend.toml names the package abacus-core" in text for text in findings(entry))


def test_a_pin_that_is_none_is_refused_with_its_line(make_entry, build):
    entry = make_entry(pins="# pinned\nabacus core\n")
    build(entry)
    with pytest.raises(InputError, match=r"requirements\.txt:2: expected `name==version`, got 'abacus core'"):
        facts.read_openness(entry, TODAY)


# Licences by their wording


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Permission is hereby granted, free of charge, to any\n  person obtaining a copy of this software and assoc"
            "iated documentation files",
            ("MIT",),
        ),
        ("Redistribution and use in source and binary forms, with or without", ("BSD-2-Clause",)),
        (
            "Redistribution and use in source and binary forms\n * may be used to endorse\n * or promote",
            ("BSD-3-Clause",),
        ),
        ("   GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007", ("GPL-3.0",)),
        ("under the GNU General Public License, version 2.0, the GNU Lesser", ()),
        ("# SPDX-License-Identifier: MIT OR Zlib\n", ("MIT", "Zlib")),
        ("# SPDX-License-Identifier: nonsense here\n", ()),
        (
            "Apache License Version 2.0, January 2004 ---- LLVM Exceptions to the Apache 2.0 License ----",
            ("Apache-2.0 WITH LLVM-exception",),
        ),
        ("All rights reserved.", ()),
    ],
)
def test_a_licence_is_recognised_by_its_wording(text, expected):
    assert licences.recognise(text) == expected


def test_a_licence_with_an_exception_is_not_named_without_it():
    text = f"{THIRD}\nGNU GENERAL PUBLIC LICENSE Version 3, 29 June 2007"
    assert licences.recognise(text) == ("GPL-3.0",)
    assert licences.recognise(text, licences.read_components(text)) == ()


def test_the_tables_of_licences_are_spdx():
    for meant in (*licences.ALIASES.values(), *licences.PHRASES):
        assert licences.to_spdx(meant) is not None or licences.to_spdx(f"{meant}-only"), meant
    assert [word for word in licences.ALIASES if word != word.lower()] == []
    assert [each for some in licences.PHRASES.values() for each in some if each != " ".join(each.lower().split())] == []


# The command


@pytest.fixture
def bakeoff(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["bakeoff", "openness", *arguments])
        with pytest.raises(SystemExit) as ended:
            app.main()
        return ended.value.code or 0, *capsys.readouterr()

    return call


def test_the_command_shows_the_facts_of_every_backend_with_their_sources(bakeoff):
    code, out, _ = bakeoff("--full")
    assert code == 0
    shown = " ".join(out.split())
    for entry in entries.read_all().values():
        assert f"not built: run `bakeoff setup {entry.name}`" in out
        for _, fact in entry.description.openness.facts():
            assert " ".join(fact.source.split()) in shown
    assert "stale" in out
    assert "Unknown: " in out


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_several_backends_are_compared_on_one_screen(bakeoff, monkeypatch, width):
    from bakeoff.report.terminal import console

    monkeypatch.setattr(console, "COMPARISON_WIDTH", width)
    code, out, _ = bakeoff()
    assert code == 0
    lines = out.splitlines()
    assert all(len(line) <= width for line in lines if "bakeoff openness" not in line)
    assert [line.split()[0] for line in lines[1 : 1 + len(entries.read_all())]] == list(entries.read_all())
    assert "bakeoff openness --full" in out
    assert len(lines) < 24


def test_a_contradiction_is_a_finding_and_no_failure(bakeoff, make_entry, build, monkeypatch):
    entry = make_entry(licence="BSD-3-Clause")
    build(entry, files={"abacus/THIRD_PARTY_NOTICES.txt": THIRD})
    monkeypatch.setattr(entries, "backends_folder", lambda: Path(entry.folder).parent)
    code, out, _ = bakeoff("abacus_plain")
    assert code == 0
    assert "Finding: abacus-core 2.0 declares the licence MIT; backend.toml says BSD-3-Clause" in out
    assert (
        "Bundled, according to a licence file: OpenBeads (GPL-3.0-or-later WITH GCC-exception-3.1), Frame (MIT)." in out
    )
    assert "Not declared: GPL-3.0-or-later WITH GCC-exception-3.1, named in abacus/THIRD_PARTY_NOTICES.txt." in out
    code, out, _ = bakeoff("abacus_plain", "--json")
    view = json.loads(out)["abacus_plain"]
    assert code == 0
    assert view["packages"][0]["notices"][0]["components"][1] == {"name": "Frame", "licence": "MIT"}
    assert len(view["findings"]) == 1


def test_the_guide_names_every_fact_and_what_makes_it_stale():
    guide = (ROOT / "docs" / "explanation" / "openness.md").read_text(encoding="utf-8")
    for key in facts.PAST:
        assert f"`{key}`" in guide
    for family in licences.CLASSIFIERS:
        assert family in guide, family
    for licence in licences.PHRASES:
        assert f"`{licence}`" in guide, licence
