"""A cable between two namespaces, laid for one test."""

import os

import pytest

from tests.net.stage import Cable


@pytest.fixture
def cable():
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root here")
    laid = Cable()
    try:
        laid.lay()
        yield laid
    finally:
        laid.cut()
