// SPDX-License-Identifier: Apache-2.0

/// Zeroes a struct of libbpf's options, its padding too.
///
/// libbpf refuses options with a byte it does not know that is not zero. Swift's own zero value leaves padding as it
/// finds it, which is behind `attach_mode` of `bpf_uprobe_opts` since libbpf 1.2.
func clear<Options>(_ options: inout Options) {
    withUnsafeMutableBytes(of: &options) { bytes in
        for index in bytes.indices { bytes[index] = 0 }
    }
}
