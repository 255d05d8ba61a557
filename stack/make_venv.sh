#!/usr/bin/env bash
# Makes .venv from the lock; .venv/complete is written last, so that an interrupted set-up is done again.
set -euo pipefail

PYTHON=${PYTHON:-python3.11}

fail() {
    echo "error: $1" >&2
    exit 1
}

install_or_name() {
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        fail "$1 is missing: install it first (Debian 12: apt-get install python3.11 python3.11-venv), or set PYTHON"
    fi
    echo "installing python3.11 and python3.11-venv with apt-get" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update >/dev/null && apt-get -qq install --yes python3.11 python3.11-venv >/dev/null ||
        fail "$1 is missing and apt-get could not install python3.11 and python3.11-venv"
}

"$PYTHON" -c 'import ensurepip' 2>/dev/null || install_or_name "$PYTHON with its venv module"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
    fail "$PYTHON is not Python 3.11: set PYTHON to one that is"

echo "making .venv from requirements-dev.txt" >&2
"$PYTHON" -m venv --clear .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
touch .venv/complete
