#!/bin/sh
# Makes build/python, a Python with the packages of the field that tests compare the program with.
# Made once for a list of packages; without it (offline, say) those tests are skipped by name.
set -eu
cd "$(dirname "$0")/.."

packages="numpy scipy h5py anndata scanpy squidpy scikit-misc"
folder=build/python

[ "$(cat $folder/packages.txt 2>/dev/null)" = "$packages" ] && exit 0
mkdir -p build
echo "setup: making $folder with $packages (1.5 GB, about two minutes)"
if python3 -m venv --clear $folder > build/python.log 2>&1 &&
   # shellcheck disable=SC2086
   $folder/bin/pip install -q --no-compile --disable-pip-version-check $packages \
     >> build/python.log 2>&1; then
  echo "$packages" > $folder/packages.txt
else
  echo "setup: could not make it, tests against scanpy are skipped; see build/python.log" >&2
  rm -rf $folder
fi
