# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Packages of other suites through apt, verified, with a state of their own. Sourced behind lib.sh.
# shellcheck disable=SC2016 # for another shell, or for apt, to expand

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mirror() {
  local uri=${SWIFTMEM_DEBIAN_MIRROR:-}
  [ -n "$uri" ] || uri=$(apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' 2>/dev/null | head -n1)
  # Before the first apt-get update there are no indexes, so no label yet: go by the path.
  [ -n "$uri" ] || uri=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m1 '/debian/*$' || true)
  [ -n "$uri" ] || return 1
  printf '%s\n' "$uri"
}

# apt_in STATE TOOL ARG...: an apt tool on a private state directory.
apt_in() {
  local state=$1 tool=$2 arch; shift 2
  arch=$(cat "$state/architecture")
  "$tool" -q -o "Dir::State=$state" -o "Dir::State::lists=$state/lists" -o "Dir::State::status=$state/status" \
    -o "Dir::Cache=$state/cache" -o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::Etc::preferences=- -o Dir::Etc::preferencesparts=- -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" \
    -o Acquire::Languages=none -o Acquire::Retries=3 -o Acquire::Check-Valid-Until=false \
    -o APT::Sandbox::User=root "$@"
}

# apt_state STATE SUITE ARCHITECTURE: a state directory for that suite, its index read.
apt_state() {
  local state=$1 suite=$2 arch=$3 uri
  uri=$(mirror) || { say "apt here names no Debian mirror; set SWIFTMEM_DEBIAN_MIRROR"; return 1; }
  [ -f "$keyring" ] || { say "no $keyring; install debian-archive-keyring"; return 1; }
  mkdir -p "$state"/{lists/partial,cache/archives/partial,debs}
  : > "$state/status"
  echo "$arch" > "$state/architecture"
  echo "deb [arch=$arch signed-by=$keyring] $uri $suite main" > "$state/sources.list"
  say "reading the index of $suite for $arch"
  apt_in "$state" apt-get update -o APT::Update::Error-Mode=any > "$state/log" 2>&1 ||
    { say "no index of $suite on this mirror:"; grep -E '^[EW]:' "$state/log" >&2; return 1; }
}
