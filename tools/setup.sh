#!/bin/sh
# Makes .venv with everything that the audit and the tests use, from the lock file.
# As root it also installs the system programs that are missing; otherwise it says which
# parts will be left out without them.
set -eu
python=${1:-python3}

"$python" - <<'PY' || exit 2
import sys
if sys.version_info < (3, 11):
    sys.exit(f"error: Python {sys.version.split()[0]} is too old\n  fix: install Python 3.11 or newer, then run make PYTHON=python3.11 …")
PY

# program:package:what is lost without it
wanted='ip:iproute2:the simulated department and every test on real packets
nft:nftables:the large simulated farm of the benches
nmap:nmap:the nmap engine and the comparison with it
arp-scan:arp-scan:the comparison of the simulated farm with it
chromium:chromium:the tests of the report in a real browser
ping:iputils-ping:the tests of what the simulated department witnesses
pdftoppm:poppler-utils:the tests that look at the printed report
java:default-jre-headless:the HTML validator
initdb:postgresql:the tests on a real PostgreSQL server'
# libraries that the PDF engine loads
libraries='libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core'

has() {
    command -v "$1" >/dev/null 2>&1 && return 0
    [ "$1" = initdb ] && ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && return 0
    [ "$1" = chromium ] && { command -v chromium-browser || command -v google-chrome; } >/dev/null 2>&1
}
missing=''
lost=''
old_ifs=$IFS
IFS='
'
for line in $wanted; do
    program=${line%%:*}; rest=${line#*:}
    has "$program" || { missing="$missing ${rest%%:*}"; lost="$lost
  ${rest%%:*}: ${rest#*:}"; }
done
IFS=$old_ifs
if command -v dpkg >/dev/null 2>&1; then
    for library in $libraries; do
        dpkg -s "$library" >/dev/null 2>&1 || { missing="$missing $library"; lost="$lost
  $library: the PDF form of the report"; }
    done
fi
"$python" -c 'import ensurepip, venv' 2>/dev/null || { missing="$missing python3-venv"; lost="$lost
  python3-venv: everything (no virtual environment can be made)"; }

if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "installing system packages:$missing" >&2
        apt-get update -qq >&2 || true
        for package in $missing; do
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 ||
                echo "left out: $package could not be installed" >&2
        done
    else
        echo "left out, because these system packages are missing and only root may install them:$lost" >&2
        echo "  fix: apt-get install$missing" >&2
    fi
fi

if ! "$python" -m venv .venv 2>/dev/null; then
    echo "error: no virtual environment could be made" >&2
    echo "  fix: install python3-venv (apt-get install python3-venv), then run this again" >&2
    exit 2
fi
# the lock names every package: nothing is resolved, so a release made tomorrow changes nothing
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
# editable: the folders oui_data/ and reports/ are read from the checkout
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
.venv/bin/python -m pip --disable-pip-version-check check >&2
.venv/bin/python -m compileall -q .venv/lib auditor >/dev/null 2>&1 || true
