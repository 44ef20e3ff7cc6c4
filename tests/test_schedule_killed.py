"""Audits that are killed in any phase lose nothing and, resumed, end as if they had not been."""

import os

import pytest

from auditor.errors import EnvironmentLack
from bench.killed_scans import QUICK, SLOW, played

KILLS = int(os.environ.get("AUDITOR_KILLS", "10"))  # bench/killed_scans.py does 50
PACES = (SLOW,) if KILLS <= 10 else (SLOW, QUICK)
pytestmark = [pytest.mark.network, pytest.mark.slow]


def test_audits_that_are_killed_end_as_one_that_is_not(tmp_path):
    """Same devices, coverage and findings; budgets, pace, exclusions and journal hold throughout."""
    try:
        audits = played(tmp_path, KILLS, 5, 3, seed=11, paces=PACES)
    except EnvironmentLack as lack:
        pytest.skip(f"skipped, because {lack.what}")
    assert [wrong for audit in audits for wrong in audit.wrong] == []
    met = [phase for audit in audits for phase in audit.deaths]
    assert len(met) >= KILLS * 0.8 and len(set(met)) >= 4, met
