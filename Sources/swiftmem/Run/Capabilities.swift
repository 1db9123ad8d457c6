// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// What this process may do, by /proc/self/status (capabilities(7)).
struct Capabilities: Equatable {
    static let sysAdmin = 21, perfmon = 38, bpf = 39

    let effective: UInt64

    /// From the text of /proc/PID/status; nothing may be done where it says nothing.
    init(status: String) {
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let value = line?.split(whereSeparator: \.isWhitespace).last
        effective = value.flatMap { UInt64($0, radix: 16) } ?? 0
    }

    static var own: Capabilities { Capabilities(status: readText("/proc/self/status") ?? "") }

    func has(_ capability: Int) -> Bool { effective >> capability & 1 != 0 }

    /// The names of those that tracing needs and this process lacks.
    var missing: [String] {
        if has(Self.sysAdmin) { return [] }
        return [(Self.bpf, "CAP_BPF"), (Self.perfmon, "CAP_PERFMON")]
            .filter { !has($0.0) }.map(\.1)
    }

    /// - Throws: `Failure`, exit status 77, naming what is missing and how to get it.
    func require(for tool: String) throws(Failure) {
        let missing = missing
        guard !missing.isEmpty else { return }
        throw Failure(
            status: Failure.Status.permission,
            message: "\(tool) needs \(missing.joined(separator: " and "))",
            remedy: "run it with sudo, or once: sudo setcap cap_bpf,cap_perfmon,cap_dac_read_search+ep"
                + " $(command -v swiftmem)")
    }
}

/// A file's text; nil where it can't be read. For /proc and /sys: read to the end,
/// for their sizes say nothing.
func readText(_ path: String) -> String? { readBytes(path).map { String(decoding: $0, as: UTF8.self) } }

/// A file's bytes; nil where it can't be read.
func readBytes(_ path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        if count > 0 {
            bytes += buffer.prefix(count)
        } else if count == 0 {
            return bytes
        } else if errno != EINTR {
            return nil
        }
    }
}
