# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A chroot of a Debian suite for this machine, made by debootstrap, with what its users install there. Sourced behind
# Tests/VM/lib.sh and apt.sh.

# suite_root SUITE: makes the chroot where there is none. Prints where it is.
suite_root() {
	local suite=$1 root=$cache_dir/suites/$1
	[ "$(id -u)" = 0 ] || die 77 "a chroot needs root"
	if [ ! -e "$root/ready" ]; then
		command -v debootstrap >/dev/null || apt-get install -y -qq debootstrap >/dev/null
		say "making a chroot of $suite: $root"
		mkdir -p "$root"
		debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$(mirror)" >/dev/null
		# this machine's way to its mirror
		cp /etc/resolv.conf "$root/etc/" || true
		cp /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
		touch "$root/ready"
	fi
	printf '%s\n' "$root"
}

# in_suite ROOT [DIRECTORY...] -- COMMAND...: runs a command in the chroot, which sees those directories of this machine
# at the same paths, and those that git reads Swift packages from. What is mounted for it goes with it.
in_suite() {
	local root=$1 directory
	local -a see=()
	shift
	while [ "$1" != -- ]; do see+=("$1"); shift; done
	shift
	while read -r directory; do see+=("$directory"); done < <(git config --get-regexp '^url\..*\.insteadof' |
		sed -n 's/^url\.\(\/[^ ]*\)\.insteadof .*/\1/p' | sort -u)
	cat /etc/gitconfig ~/.gitconfig >"$root/etc/gitconfig" 2>/dev/null || true
	# shellcheck disable=SC2016 # the other shell expands them
	unshare --mount --propagation private bash -euc '
		root=$1; shift
		for at in /proc /dev; do mount --rbind "$at" "$root$at"; done
		while [ "$1" != -- ]; do mkdir -p "$root$1"; mount --bind "$1" "$root$1"; shift; done
		shift
		exec chroot "$root" "$@"' - "$root" "${see[@]}" -- "$@"
}
