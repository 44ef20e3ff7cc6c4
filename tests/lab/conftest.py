import pytest

from auditor.errors import EnvironmentLack
from auditor.lab.department import Department


@pytest.fixture(scope="session")
def department():
    """The shipped department, started once; skipped where namespaces are not allowed."""
    try:
        lab = Department.start()
    except EnvironmentLack as lack:
        pytest.skip(f"skipped, because {lack.what}: {lack.why}")
    with lab:
        yield lab
