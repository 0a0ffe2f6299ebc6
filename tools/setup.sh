#!/bin/bash
# Install what the build needs: Debian packages (when we may), then .venv with the Python packages.
# Quick when nothing is missing. Usage: tools/setup.sh [extra Debian packages...]
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(build-essential cmake ninja-build ccache mold libgtest-dev libgmock-dev libbenchmark-dev
          libsqlite3-dev libssl-dev libsimdjson-dev libcli11-dev libtomlplusplus-dev "$@")
python=${PYTHON:-python3}
requirements=tools/requirements-dev.txt

say() { printf '== %s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  say "Lamina needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Set PYTHON=/path/to/python3.11"
  exit 1
fi
# Debian keeps headers and venv of its own python apart; other pythons bring theirs.
"$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' \
  || packages+=(python3-dev)
"$python" -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)

if command -v dpkg-query >/dev/null; then
  missing=()
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    say "Debian packages: installing ${missing[*]}"
    if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
      say "that needs root. Run this one command, then try again:"
      echo "    sudo apt-get install -y ${missing[*]}" >&2
      exit 1
    fi
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
else
  say "not a Debian system: please have ready what these packages hold: ${packages[*]}"
fi

if [ ! -x .venv/bin/python ]; then
  say "Python: making .venv with $("$python" -V)"
  "$python" -m venv .venv
fi
stamp=.venv/.lamina-requirements
if ! cmp -s "$requirements" "$stamp"; then
  say "Python: installing $(grep -c '^[a-z]' "$requirements") packages into .venv"
  .venv/bin/python -m pip install -q --disable-pip-version-check -r "$requirements"
  cp "$requirements" "$stamp"
fi
