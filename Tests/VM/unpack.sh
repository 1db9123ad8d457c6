# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# From kernel packages to what run-in-vm boots. Sourced by fetch-kernels, bash.
# shellcheck disable=SC2086 # lists of words, and names without blanks

# What run-in-vm loads in most boots. These and what they depend on are stored unpacked: unpacking
# them costs nothing here, and a lot inside an emulated machine. All others load too, only slower.
fast_modules='virtio_mmio virtio_blk 9pnet_virtio 9p overlay ext4 crc32c_generic xfs btrfs zram'

# unsigned_at FILE OFFSET SIZE: a little-endian number.
unsigned_at() { od -An -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '; }

# extract_vmlinux IMAGE OUT: what QEMU is to boot. An arm64 Image (Documentation/arch/arm64/booting.rst: its magic number)
# is that as it is; a bzImage of x86 has it inside, an ELF kernel (Documentation/arch/x86/boot.rst: setup_sects,
# payload_offset, payload_length). QEMU enters it through its PVH note, so that no guest time goes
# into decompressing, which is slow when emulated.
extract_vmlinux() {
  local image=$1 out=$2 sectors start length magic unpack
  if [ "$(head -c 60 "$image" | tail -c 4 | od -An -t x1 | tr -d ' ')" = 41524d64 ]; then cp "$image" "$out"; return; fi
  sectors=$(unsigned_at "$image" 497 1)
  [ "$sectors" != 0 ] || sectors=4
  start=$(( (sectors + 1) * 512 + $(unsigned_at "$image" 584 4) ))
  length=$(unsigned_at "$image" 588 4)
  magic=$(od -An -t x1 -j "$start" -N 4 "$image" | tr -d ' ')
  # After the compressed stream stands its unpacked size, four bytes that only gzip has as its own.
  case $magic in
    fd377a58) unpack='xz -dcq'; length=$((length - 4)) ;;
    28b52ffd) unpack='zstd -dcq'; length=$((length - 4)) ;;
    02214c18) unpack='lz4 -dcq'; length=$((length - 4)) ;;
    1f8b*)    unpack='gzip -dcq' ;;
    *) say "$image: unknown compression $magic"; return 1 ;;
  esac
  tail -c +$((start + 1)) "$image" | head -c "$length" | $unpack > "$out" || return 1
  [ "$(od -An -t x1 -N 4 "$out" | tr -d ' ')" = 7f454c46 ] || { say "$image: no ELF kernel inside"; return 1; }
}

# unpack_kernel DEBS RELEASE OUT: OUT gets vmlinux, config, lib/modules/RELEASE (with its modules.dep,
# which packages leave to their install script), and last the file release, which says all is there.
unpack_kernel() {
  local debs=$1 release=$2 out=$3 deb image config modules file
  rm -rf "$out"; mkdir -p "$out/tree"
  for deb in "$debs"/*.deb; do dpkg-deb -x "$deb" "$out/tree" || return 1; done
  # Where things lie has changed over time: /boot and /lib, later /usr/lib only.
  image=$(first_file "$out/tree/boot/vmlinuz-$release" "$out/tree/usr/lib/modules/$release/vmlinuz") ||
    { say "$release: no vmlinuz in its packages"; return 1; }
  config=$(first_file "$out/tree/boot/config-$release" "$out/tree/usr/lib/modules/$release/config" \
    "$out/tree/usr/lib/linux/$release/config") || { say "$release: no config in its packages"; return 1; }
  modules=$(first_file "$out/tree/usr/lib/modules/$release/kernel" "$out/tree/lib/modules/$release/kernel") ||
    { say "$release: no modules in its packages"; return 1; }
  extract_vmlinux "$image" "$out/vmlinux" || return 1
  cp "$config" "$out/config"
  mkdir -p "$out/lib/modules"
  mv "${modules%/kernel}" "$out/lib/modules/$release"
  rm -rf "$out/tree"
  depmod -b "$out" "$release" || return 1
  module_files "$out/lib/modules/$release" $fast_modules | while read -r file; do
    case $file in
      *.xz) xz -dq "$file" ;;
      *.zst) zstd -dq --rm "$file" ;;
      *.gz) gzip -dq "$file" ;;
    esac
  done
  depmod -b "$out" "$release" || return 1
  printf '%s\n' "$release" > "$out/release.new"
  mv "$out/release.new" "$out/release"
}

first_file() {
  local file
  for file; do [ ! -e "$file" ] || { printf '%s\n' "$file"; return 0; }; done
  return 1
}
