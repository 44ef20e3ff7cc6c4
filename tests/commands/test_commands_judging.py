"""How an assessment ends: nothing is clean that nobody looked at."""

import pytest

from auditor.commands.judging import exit_code, sentence
from auditor.model.device import Coverage, SubnetCoverage
from auditor.model.policy import SEVERITY, Verdict


def visit(*, complete):
    return SubnetCoverage(
        "HQ", "192.0.2.0/24", 254, None, None, "layer 2", 254, (), (), complete=complete
    )


WHOLE, BROKEN = (Coverage((visit(complete=said),)) for said in (True, False))
BAD = {"d1": {"p": Verdict.NONCONFORMING}}
GOOD = {"d1": {"p": Verdict.CONFORMING}}


@pytest.mark.parametrize(("seen", "worst", "code"), [
    pytest.param(WHOLE, GOOD, 0, id="all-looked-at-and-nothing-found"),
    pytest.param(WHOLE, BAD, 1, id="all-looked-at-and-one-found"),
    pytest.param(BROKEN, GOOD, 3, id="not-all-looked-at"),
    pytest.param(BROKEN, BAD, 3, id="not-all-looked-at-and-one-found"),
    pytest.param(Coverage(), {}, 3, id="an-empty-ledger"),
    pytest.param(Coverage(), GOOD, 3, id="lists-alone"),
    pytest.param(Coverage(), BAD, 3, id="lists-alone-and-one-found"),
])  # fmt: skip
def test_zero_is_for_what_was_looked_at_as_a_whole(seen, worst, code):
    assert exit_code(seen, worst) == code


@pytest.mark.parametrize("whole", [None, False])
def test_the_sentence_gives_the_reason_of_the_code(whole):
    counted = dict.fromkeys(SEVERITY, 0)
    assert "coverage is incomplete" in sentence(0, counted, 0, whole)
    assert "incomplete" not in sentence(0, counted, 0, whole=True)
