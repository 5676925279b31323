#!/usr/bin/env bash
# Run SEERSegmentTest inside an installed 3D Slicer.
#
#   Utilities/run_slicer_tests.sh [--layout checkout|installed] [--window] /path/to/Slicer
#
# --layout checkout   load the module from this checkout, as an additional module path (the default)
# --layout installed  copy module and library into one folder, as an installed extension has them, and load that
# --window            with Slicer's main window; without it, Slicer starts without one
#
# Where no display is set, the run goes through xvfb-run. The exit code is Slicer's: 0 when all tests passed.
set -euo pipefail

layout=checkout
window=no
while [ $# -gt 1 ]; do
    case "$1" in
        --layout) layout="$2"; shift 2 ;;
        --window) window=yes; shift ;;
        *) echo "unknown option: $1" >&2; exit 2 ;;
    esac
done
slicer="${1:?usage: run_slicer_tests.sh [--layout checkout|installed] [--window] /path/to/Slicer}"
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

case "$layout" in
    checkout) modules="$root/SEERSegment" ;;
    installed)
        modules="$scratch/qt-scripted-modules"
        mkdir "$modules"
        cp -R "$root/SEERSegment/." "$modules"
        cp -R "$root/SEERSegmentLib" "$modules"
        ;;
    *) echo "unknown layout: $layout" >&2; exit 2 ;;
esac

# --testing makes Slicer leave when the code is done, with 1 where it raised, and use settings of its own.
options=(--no-splash --testing --disable-cli-modules --additional-module-path "$modules")
[ "$window" = yes ] || options+=(--no-main-window)
code="import slicer.testing; slicer.testing.runUnitTest(['$modules'], 'SEERSegment')"
display=()
if [ -z "${DISPLAY:-}" ] && [ "$(uname)" = Linux ]; then
    display=(xvfb-run --auto-servernum --server-args "-screen 0 1600x1200x24")
fi
${display[@]+"${display[@]}"} "$slicer" "${options[@]}" --python-code "$code"
