#!/bin/sh
# Installs what the project needs on Debian 12, by package name; without root it says what it would
# install and ends with an error only if something is missing.
set -eu

packages="g++ cmake ninja-build make python3 python3-venv clang-format clang libclang-rt-14-dev
ccache pkg-config
libeigen3-dev nlohmann-json3-dev libtomlplusplus-dev libcli11-dev libfmt-dev libnanoflann-dev
libqhull-dev zlib1g-dev libhdf5-dev liblzf-dev libxxhash-dev libgtest-dev python3-anndata libbenchmark-dev"

missing=""
for package in $packages; do
  state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = "installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || { echo "setup: everything needed is installed"; exit 0; }

if [ "$(id -u)" -ne 0 ]; then
  echo "setup: these packages are missing; as root: apt-get install$missing" >&2
  exit 1
fi
echo "setup: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
# shellcheck disable=SC2086
apt-get install -y -q --no-install-recommends $missing >/dev/null
