// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf

/// The one owner of a `struct bpf_object`: closing it unloads what it loaded. The object, its
/// programs and its maps share it, so none of them outlives what it points into.
final class ObjectHandle {
    let raw: OpaquePointer
    let name: String
    /// Where the verifier's statistics of each program go, if they were asked for.
    let statistics = VerifierLogs()

    /// Takes the object over.
    init(owning raw: OpaquePointer, name: String) {
        self.raw = raw
        self.name = name
    }

    deinit { bpf_object__close(raw) }

    func program(_ name: String) throws(BPFError) -> OpaquePointer {
        try checkedPointer("find program \(name) in \(self.name)", program: name) {
            bpf_object__find_program_by_name(raw, name)
        }
    }

    func map(_ name: String) throws(BPFError) -> OpaquePointer {
        try checkedPointer("find map \(name) in \(self.name)") {
            bpf_object__find_map_by_name(raw, name)
        }
    }

    /// All programs, in the order of the file.
    var programs: [OpaquePointer] {
        Array(
            sequence(state: bpf_object__next_program(raw, nil)) { [raw] next in
                defer { next = next.flatMap { bpf_object__next_program(raw, $0) } }
                return next
            })
    }

    /// All maps, in the order of the file, those of data sections included.
    var maps: [OpaquePointer] {
        Array(
            sequence(state: bpf_object__next_map(raw, nil)) { [raw] next in
                defer { next = next.flatMap { bpf_object__next_map(raw, $0) } }
                return next
            })
    }
}

/// Buffers that the verifier writes to while an object loads.
final class VerifierLogs {
    private var logs: [String: UnsafeMutableBufferPointer<CChar>] = [:]

    func log(of program: String) -> UnsafeMutableBufferPointer<CChar> {
        if let log = logs[program] { return log }
        let log = UnsafeMutableBufferPointer<CChar>.allocate(capacity: 1 << 16)
        log.initialize(repeating: 0)
        logs[program] = log
        return log
    }

    /// The text that was written, nil where none was asked for.
    func text(of program: String) -> String? {
        guard let log = logs[program] else { return nil }
        return String(decoding: log.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { for log in logs.values { log.deallocate() } }
}
