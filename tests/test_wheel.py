"""The wheel is whole: installed elsewhere, without the checkout, it does its main job."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The program of an installed wheel; libraries come from this environment, we do not."""
    home = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(home), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = home.glob("*.whl")
    venv.create(home / "env", with_pip=False)
    packages = next((home / "env").glob("lib/python*/site-packages"))
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
            *("--target", str(packages), str(wheel)),
        ],
        check=True,
        capture_output=True,
    )
    ours = next(path for path in sys.path if path.endswith("site-packages"))
    (packages / "libraries.pth").write_text(ours + "\n")
    # the editable install of the checkout must not stand in for the wheel
    run = [str(home / "env" / "bin" / "python"), "-m", "auditor"]
    return run, home


def call(installed, *words):
    run, home = installed
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [*run, *words], cwd=home, env=env, capture_output=True, text=True, timeout=200, check=False
    )


def test_the_program_runs_from_the_wheel_and_not_from_the_checkout(installed):
    run, home = installed
    where = subprocess.run(
        [run[0], "-c", "import auditor; print(auditor.__file__)"],
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert str(home) in where


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["oui", "44:19:b6:00:00:01"], "Hikvision"),
        (["packs"], "ca-gc-hikvision-2025"),
        (["doctor"], "registry"),
    ],
)
def test_it_finds_its_data(installed, words, said):
    run = call(installed, *words)
    assert run.returncode == 0, run.stderr
    assert said in run.stdout


def test_it_does_its_main_job(installed):
    """On loopback: nothing listens, so nothing is found, and the report says so."""
    run = call(installed, "audit", "127.9.9.1", "--site", "Wheel", "--out", "out", "--pace", "500")
    assert run.returncode in {0, 3}, run.stderr
    report = Path(run.stdout.splitlines()[-1])
    assert report.is_file()
    assert call(installed, "verify", str(report.parent)).returncode == 0
