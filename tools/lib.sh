# Sourced by the scripts beside it: where we are, how we install, configure and build.
# shellcheck shell=bash

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n== %s\n' "$*"; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Oldest cargo whose sparse registry works by default.
readonly cargo_minor_min=68

has_cargo() {
  local version
  version=$(cargo --version 2>/dev/null) || return 1
  [[ $version =~ ^cargo\ ([0-9]+)\.([0-9]+) ]] || return 1
  ((BASH_REMATCH[1] > 1 || BASH_REMATCH[2] >= cargo_minor_min))
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "packages are missing and this is neither root nor has sudo; as root, run: $*"
  fi
}

# install_packages GROUP...: whatever of tools/dependencies.txt is missing on this machine.
install_packages() {
  local groups=" $* " group package missing=()
  while read -r group package _; do
    [[ -z $group || $group == \#* || $groups != *" $group "* ]] && continue
    dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done <tools/dependencies.txt
  has_cargo || missing+=(cargo-web rustc-web)
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null ||
    die "these Debian 12 packages (or what they hold) are needed: ${missing[*]}"
  say "installing ${#missing[@]} packages: ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update --quiet=2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends \
    "${missing[@]}" >build/apt.log 2>&1 || {
    tail -n 30 build/apt.log >&2
    die "apt-get failed; the whole log is in build/apt.log"
  }
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  say "configuring ($preset)"
  cmake --preset "$preset" --log-level=WARNING
  say "building ($preset)"
  cmake --build --preset "$preset" ${1:+--target "$@"}
}

mkdir -p build
