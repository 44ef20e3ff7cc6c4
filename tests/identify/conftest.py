"""The shipped knowledge, loaded once; and a tiny one of made-up makers in a folder of its own."""

from pathlib import Path

import pytest

import auditor
from auditor.identify import oui_sources
from auditor.identify.knowledge import Knowledge
from tests.identify.made_up import ENTITIES, FINGERPRINTS, REGISTRY

DATA = Path(auditor.__file__).parent / "data"


@pytest.fixture(scope="session")
def shipped():
    return Knowledge.load(DATA, DATA.parent.parent / "oui_data")


def lay_out(folder, fingerprints=FINGERPRINTS, entities=ENTITIES, registry=REGISTRY):
    """Write a data folder and a registry folder; give both."""
    data, oui = folder / "data", folder / "oui"
    (data / "fingerprints").mkdir(parents=True)
    (data / "entities").mkdir()
    oui.mkdir()
    for name, text in fingerprints.items():
        (data / "fingerprints" / name).write_text(text, "utf-8")
    for name, text in entities.items():
        (data / "entities" / name).write_text(text, "utf-8")
    for name in ("fields.toml", "recog.toml", "cells.toml", "explain.toml"):
        (data / name).write_text((DATA / name).read_text("utf-8"), "utf-8")
    tsv = oui_sources.render(registry)
    made = oui_sources.Provenance("made up", oui_sources.date(2026, 1, 2), "0" * 64, "none")
    (oui / "vendors.tsv").write_bytes(tsv)
    (oui / "SOURCES.toml").write_text(oui_sources.sources_toml(tsv, (made,), made.day), "utf-8")
    return data, oui


@pytest.fixture
def lay(tmp_path):
    def make(**changed):
        return lay_out(tmp_path, **changed)

    return make


@pytest.fixture(scope="session")
def known(tmp_path_factory):
    """Acme makes cameras; Globex sells Acme's under its own name; Initech is somebody else."""
    return Knowledge.load(*lay_out(tmp_path_factory.mktemp("known")))
