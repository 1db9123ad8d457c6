#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the corpus into $1: one program in every shape that a symbolizer meets. Needs cc, c++, binutils, xz; swiftc and
# rustc where they are.
# shellcheck disable=SC2086 # lists of words, and names without blanks
set -eu
src=$(cd "$(dirname "$0")" && pwd)
out=$1
mkdir -p "$out"
cd "$out"

flags="-g -O1 -fno-omit-frame-pointer -Wall"
cc $flags -fPIE -pie -Wl,--build-id -o pie "$src/sample.c"
cc $flags -fno-pie -no-pie -Wl,--build-id -o nopie "$src/sample.c"
cc $flags -fno-pie -no-pie -static -Wl,--build-id -o static "$src/sample.c"
cc $flags -fPIE -static-pie -Wl,--build-id -o staticpie "$src/sample.c"
cc $flags -gz=zlib -Wl,--build-id -o compressed "$src/sample.c"
cc $flags -gdwarf-4 -o dwarf4 "$src/sample.c"

# Stripped: only what .dynsym has, which is nothing of the program's own.
strip -o stripped pie
# Its symbols in a separate file found by build-id. The stripped copy keeps the build-id of pie.
id=$(readelf -n pie | sed -n 's/.*Build ID: *//p')
rest=${id#??}
first=${id%"$rest"}
mkdir -p "debugroot/.build-id/$first"
objcopy --only-keep-debug pie "debugroot/.build-id/$first/$rest.debug"

# By debuglink, without a build-id, and a link whose CRC is wrong.
cc $flags -Wl,--build-id=none -o nobuildid "$src/sample.c"
objcopy --only-keep-debug --compress-debug-sections=zlib nobuildid linked.debug
strip -o linked nobuildid
objcopy --add-gnu-debuglink=linked.debug linked
mkdir -p badlink
cp linked badlink/linked
cp linked.debug badlink/linked.debug
printf x >> badlink/linked.debug

# Minidebuginfo, as Fedora makes it. Its own build-id, so that no debug file is found.
cc $flags -Wl,--build-id=0x00112233445566778899 -o mini.full "$src/sample.c"
objcopy -S --remove-section .gnu_debuglink --remove-section .comment --keep-symbol=local_function \
    --keep-symbol=calls_inlined --keep-symbol=main --keep-symbol=exported_function --only-keep-debug mini.full mini.debug
objcopy --remove-section '.debug*' mini.debug
xz -kf mini.debug
strip -o mini mini.full
objcopy --add-section .gnu_debugdata=mini.debug.xz mini

cc $flags -fPIC -shared -Wl,--version-script="$src/versioned.map" -o versioned.so "$src/versioned.c"
c++ $flags -o cplusplus "$src/sample.cpp"

if command -v swiftc > /dev/null; then
    swiftc -O -g -parse-as-library -o swift "$src/sample.swift"
fi
if command -v rustc > /dev/null; then
    rustc --edition 2021 -O -g -C symbol-mangling-version=v0 -o rust-v0 "$src/sample.rs"
    # Legacy names need the unstable switch once v0 is the default.
    RUSTC_BOOTSTRAP=1 rustc --edition 2021 -O -g -Z unstable-options -C symbol-mangling-version=legacy \
        -o rust-legacy "$src/sample.rs"
fi
: >"done"
