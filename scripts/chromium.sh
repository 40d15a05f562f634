#!/bin/sh
# See to it that a Chromium is there for the browser tests; CHROMIUM may name one.
set -eu
for candidate in ${CHROMIUM:-} chromium-headless-shell chromium chromium-browser google-chrome; do
    command -v "$candidate" >/dev/null 2>&1 && exit 0
done
echo "No Chromium found; trying to install Debian's"
apt="$(dirname "$0")/apt.sh"
sh "$apt" chromium-headless-shell fonts-dejavu-core || sh "$apt" chromium fonts-dejavu-core || {
    echo "The browser tests need Chromium. As root: apt-get install chromium. Or name one: CHROMIUM=/path/to/chromium make test." >&2
    echo "Everything else runs without it: make test ARGS='-m \"not browser\"' CHROMIUM=true" >&2
    exit 1
}
