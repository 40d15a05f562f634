#!/bin/sh
# Make or refresh the environment in $1 with the pinned versions of constraints.txt.
set -eu
venv=$1

for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        python=$candidate
        break
    fi
done
if [ -z "${python:-}" ]; then
    echo "Python 3.11 or newer is needed and none was found. Install one, or name it: make setup PYTHON=/path/to/python" >&2
    exit 1
fi

# Debian ships venv apart from Python.
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    package="$(basename "$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')")-venv"
    echo "Python's venv module is missing; trying to install $package"
    sh "$(dirname "$0")/apt.sh" "$package" || {
        echo "Python's venv module is missing. As root: apt-get install $package" >&2
        exit 1
    }
fi

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
