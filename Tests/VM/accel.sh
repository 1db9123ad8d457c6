# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# KVM where it works, emulation elsewhere. Sourced by run-in-vm, bash.
# shellcheck disable=SC2154 # lib.sh sets them

# accelerator KERNEL: prints kvm or tcg. That /dev/kvm opens proves little (nested in another machine
# it may accept a guest and never run it), so a kernel is booted once, with a short deadline, and the
# answer is kept for as long as the host's kernel and QEMU stay the same.
accelerator() {
  local file key answer=tcg
  if [ "$(uname -m)" != x86_64 ] || [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then echo tcg; return; fi
  file=$cache_dir/accel
  key="$(uname -r) $(stat -L -c '%s %Y' "$(command -v qemu-system-x86_64)")"
  exec {probe}> "$file.lock"
  flock "$probe"
  if [ -f "$file" ] && [ "$(sed 1q "$file")" = "$key" ]; then
    sed -n 2p "$file"
  else
    say "does KVM boot a kernel here? (asked once)"
    if "$vm_dir/run-in-vm" --accel kvm --cpus 1 --timeout 8 "$1" true > /dev/null 2>&1; then answer=kvm; fi
    printf '%s\n%s\n' "$key" "$answer" > "$file"
    say "it does$([ "$answer" = kvm ] || echo " not"): using $answer (kept in $file)"
    echo "$answer"
  fi
  exec {probe}>&-
}

# tsc_khz: the rate of the host's time stamp counter, which an emulated guest sees as its own. Told
# it, the guest need not calibrate it against an emulated timer: on a busy host that fails now and
# then, and such a boot hangs.
tsc_khz() {
  local khz
  khz=$(dmesg 2>/dev/null | sed -nE 's/.*tsc: (Refined TSC clocksource calibration:|Detected) ([0-9]+)\.([0-9]{3}) MHz.*/\2\3/p' | tail -n1)
  [ -n "$khz" ] || khz=$(sed -nE '/^cpu MHz/{s/.*: ([0-9]+)\.([0-9]{3}).*/\1\2/p;q}' /proc/cpuinfo)
  echo "$khz"
}
