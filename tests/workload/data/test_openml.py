"""Data sets of OpenML, from a local server that answers as openml.org does."""

import hashlib
import json
import re
import socket
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bakeoff.workload.data import load
from bakeoff.workload.spec import DataSpec
from pytest_httpserver import HTTPServer
from sklearn.datasets import _openml
from werkzeug import Request, Response

from tests.workload.data.tables import ROWS, refused, table


class OpenML:
    """A server that answers as openml.org does for the data set `toy`, number 7, in two versions."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.requests: list[str] = []
        self.arff = _arff(table().assign(kind=["'big cat'" if kind == "cat" else kind for kind in table()["kind"]]))
        self.kind = "ARFF"
        self.status = "active"
        self.targets = {"kind"}
        server.expect_request(re.compile(".*")).respond_with_handler(self.answer)

    def answer(self, request: Request) -> Response:
        self.requests.append(request.path)
        answers = {
            "list/data_name/toy/limit/2/status/active/": {"data": {"dataset": [{"did": 7, "version": 1}]}},
            "list/data_name/toy/limit/2/data_version/1": {"data": {"dataset": [{"did": 7, "version": 1}]}},
            "7": {"data_set_description": self.description()},
            "features/7": {"data_features": {"feature": self.features()}},
            "qualities/7": {"data_qualities": {"quality": [{"name": "NumberOfInstances", "value": str(ROWS)}]}},
        }
        if request.path == "/data/v1/download/70/toy.arff":
            return Response(self.arff)
        if request.path.startswith("/api/v1/json/data/list/data_name/gone"):
            return Response("gone", status=404)
        answer = answers.get(request.path.removeprefix("/api/v1/json/data/"))
        if answer is None:
            return Response(json.dumps({"error": {"code": "372", "message": "No results"}}), status=412)
        return Response(json.dumps(answer))

    def description(self) -> dict[str, str]:
        return {
            "id": "7",
            "name": "toy",
            "version": "1",
            "description": "A toy.",
            "format": self.kind,
            "status": self.status,
            "url": self.server.url_for("/data/v1/download/70/toy.arff"),
            "md5_checksum": hashlib.md5(self.arff, usedforsecurity=False).hexdigest(),
        }

    def features(self) -> list[dict[str, str]]:
        kinds = {"serial": "numeric", "width": "numeric", "height": "nominal", "kind": "nominal"}
        return [
            {
                "index": str(index),
                "name": name,
                "data_type": kind,
                "is_target": str(name in self.targets).lower(),
                "is_ignore": "false",
                "is_row_identifier": str(name == "serial").lower(),
                "number_of_missing_values": "0",
            }
            for index, (name, kind) in enumerate(kinds.items())
        ]


def _arff(frame: pd.DataFrame) -> bytes:
    header = "@RELATION toy\n" + "".join(f"@ATTRIBUTE {name} STRING\n" for name in ["serial", *frame.columns])
    return (header + "@DATA\n" + frame.to_csv(header=False)).encode()


def point_openml_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_SEARCH_NAME", "_DATA_INFO", "_DATA_FEATURES", "_DATA_QUALITIES"):
        # Of scikit-learn's releases some ask www.openml.org, and some api.openml.org.
        address, hosts = re.subn(r"^https://\w+\.openml\.org/", f"{url.rstrip('/')}/", getattr(_openml, name))
        assert hosts == 1
        monkeypatch.setattr(_openml, name, address)
    monkeypatch.setattr(_openml, "time", SimpleNamespace(sleep=lambda seconds: None))


@pytest.fixture
def openml(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> OpenML:
    point_openml_at(httpserver.url_for("/"), monkeypatch)
    return OpenML(httpserver)


def test_openml_is_asked_once_and_then_read_from_the_cache(openml: OpenML, tmp_path: Path) -> None:
    data = load(DataSpec(source="openml:toy"), cache=tmp_path)
    frame = table()
    np.testing.assert_array_equal(data.x, frame[["width", "height"]])
    assert data.features == ("width", "height"), "the row identifier is no feature"
    assert data.classes == ("ant", "bee", "big cat")
    np.testing.assert_array_equal(data.y, np.arange(ROWS) % 3)
    assert data.name == "openml:toy"
    assert data.notes == ("OpenML's version 1 of `toy`, data set number 7.",)
    assert openml.requests[-1] == "/data/v1/download/70/toy.arff"
    openml.server.clear()
    again = load(DataSpec(source="openml:toy"), cache=tmp_path)
    np.testing.assert_array_equal(again.x, data.x)
    assert openml.server.log == []


def test_openml_is_cached_in_the_users_cache_folder(
    openml: OpenML, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    load(DataSpec(source="openml:toy"))
    assert len(openml.requests) == 5
    assert list((tmp_path / "bakeoff").rglob("toy.arff.gz"))


def test_openml_gives_the_version_and_the_target_asked_for(openml: OpenML, tmp_path: Path) -> None:
    openml.arff = _arff(table().assign(kind=7))
    data = load(DataSpec(source="openml:toy@1", target="height"), cache=tmp_path)
    assert data.features == ("width", "kind")
    assert "/api/v1/json/data/list/data_name/toy/limit/2/data_version/1" in openml.requests
    assert data.classes == tuple(str(number) for number in sorted(set(table()["height"])))


def test_openml_columns_that_are_no_numbers_are_refused(openml: OpenML, tmp_path: Path) -> None:
    source = DataSpec(source="openml:toy", target="height")
    openml.arff = _arff(table())
    refused(lambda: load(source, cache=tmp_path), "column `kind` holds text, such as 'ant'")


def test_an_unknown_openml_target_gets_a_suggestion(openml: OpenML, tmp_path: Path) -> None:
    refused(
        lambda: load(DataSpec(source="openml:toy", target="knid"), cache=tmp_path),
        "openml:toy: no column `knid`. Did you mean `kind`?",
    )
    assert openml.requests


@pytest.mark.parametrize(("targets", "found"), [(set(), "none"), ({"kind", "height"}, "2 (`height`, `kind`)")])
def test_openml_without_one_target_asks_for_it(openml: OpenML, tmp_path: Path, targets: set[str], found: str) -> None:
    openml.targets = targets
    refused(
        lambda: load(DataSpec(source="openml:toy"), cache=tmp_path), f"names {found}. Set `data.target`, or `--target`."
    )


def test_an_inactive_openml_version_gets_a_note(openml: OpenML, tmp_path: Path) -> None:
    openml.status = "deactivated"
    data = load(DataSpec(source="openml:toy@1"), cache=tmp_path)
    assert "OpenML marks this version as deactivated: issues were found in it." in data.notes


def test_a_sparse_openml_data_set_is_refused(openml: OpenML, tmp_path: Path) -> None:
    openml.kind = "Sparse_ARFF"
    attributes = "".join(f"@ATTRIBUTE {name} NUMERIC\n" for name in ("serial", "width", "height"))
    openml.arff = (
        f"@RELATION toy\n{attributes}@ATTRIBUTE kind {{ant,bee}}\n@DATA\n{{1 2,3 bee}}\n{{2 5,3 bee}}\n".encode()
    )
    refused(lambda: load(DataSpec(source="openml:toy"), cache=tmp_path), "openml:toy: expected a dense table")


def test_a_damaged_openml_answer_is_refused(openml: OpenML, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = openml.description()
    monkeypatch.setattr(openml, "description", lambda: {**sound, "md5_checksum": "0"})
    refused(lambda: load(DataSpec(source="openml:toy"), cache=tmp_path / "a"), "md5 checksum", "Check the name")
    monkeypatch.setattr(openml, "features", lambda: [{}])
    refused(lambda: load(DataSpec(source="openml:toy"), cache=tmp_path / "b"), "answer cannot be used")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("absent", "No active dataset absent found. Check the name and version at openml.org"),
        ("absent@3", "Dataset absent with version 3 not found"),
        ("gone", "the OpenML server answered 404 NOT FOUND"),
    ],
)
def test_a_name_unknown_to_openml_is_refused(openml: OpenML, tmp_path: Path, name: str, problem: str) -> None:
    refused(lambda: load(DataSpec(source=f"openml:{name}"), cache=tmp_path), f"openml:{name}: ", problem, str(tmp_path))
    assert openml.requests


def test_an_unreachable_openml_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("localhost", 0))
        port = closed.getsockname()[1]
    point_openml_at(f"http://localhost:{port}", monkeypatch)
    refused(
        lambda: load(DataSpec(source="openml:toy"), cache=tmp_path),
        "openml:toy: the OpenML server cannot be reached",
        "refused",
    )


@pytest.mark.parametrize("name", ["", "@1", "a/b", "a b", "toy@", "toy@one", "toy@1@2"])
def test_a_malformed_openml_name_is_refused_without_asking(openml: OpenML, tmp_path: Path, name: str) -> None:
    refused(lambda: load(DataSpec(source=f"openml:{name}"), cache=tmp_path), "expected openml:NAME")
    assert openml.requests == []
