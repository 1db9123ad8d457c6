# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Shared by the scripts of Tests/VM: where things are, and the table of kernels. Sourced, bash.

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # for who sources this
repo_dir=$(cd "$vm_dir/../.." && pwd)
cache_dir=${SWIFTMEM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/swiftmem}
kernels_dir=$cache_dir/kernels
kernels_table=$vm_dir/kernels.tsv
me=${0##*/}
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() { local status=$1; shift; say "$*"; exit "$status"; }

# The comment block at the head of a script is its --help.
usage() { sed -n '2,/^set -/{/SPDX/d;/^#/s/^# \{0,1\}//p}' "$0"; }

kernel_names() { awk -F'\t' '!/^#/ && NF { print $1 }' "$kernels_table"; }

# kernel_field NAME COLUMN: one value of the table, by the name its header line gives the column.
kernel_field() {
  awk -F'\t' -v name="$1" -v column="$2" '
    /^# name\t/ { sub(/^# /, ""); for (i = 1; i <= NF; i++) if ($i == column) want = i; next }
    !/^#/ && $1 == name { print $want; found = 1 }
    END { exit !found }' "$kernels_table"
}

# A fetched kernel is a directory with vmlinux, config, release and lib/modules/<release>.
kernel_ready() { [ -f "$kernels_dir/$1/release" ]; }

# module_files DIR NAME...: the files of the named modules and of all they depend on, in the order in
# which they load. DIR is a lib/modules/<release>. A module the kernel has built in has no file.
module_files() {
  local dir=$1; shift
  awk -v wanted="$*" -v dir="$dir" '
    function put(file) { if (!(file in done)) { done[file]; print dir "/" file } }
    { file = $1; sub(/:$/, "", file); name = file; sub(/.*\//, "", name); sub(/\.ko.*/, "", name)
      gsub(/-/, "_", name); line[name] = $0; path[name] = file }
    END {
      count = split(wanted, want, " ")
      for (i = 1; i <= count; i++) {
        gsub(/-/, "_", want[i])
        if (!(want[i] in line)) continue
        # modules.dep lists what must be loaded first last.
        for (j = split(line[want[i]], file_of, " "); j > 1; j--) put(file_of[j])
        put(path[want[i]])
      }
    }' "$dir/modules.dep"
}
