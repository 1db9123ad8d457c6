// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf

/// A program in the kernel. It keeps its object loaded while it lives.
public struct Program {
    let handle: ObjectHandle
    let raw: OpaquePointer
    public let name: String
    /// For links made outside this library. Valid while this lives.
    public let descriptor: Int32

    init(handle: ObjectHandle, raw: OpaquePointer) throws(BPFError) {
        // SAFETY: the name is NUL-terminated and lives as long as the object.
        let name = String(cString: bpf_program__name(raw))
        descriptor = try checkedCode(bpf_program__fd(raw), "program \(name) is not loaded", program: name)
        self.handle = handle
        self.raw = raw
        self.name = name
    }

    /// Attaches it where its section says: tracepoints, functions, iterators.
    ///
    /// - Returns: the link; letting go of it detaches.
    /// - Throws: `BPFError` where the section names no hook, this kernel has none of the name, or
    ///   refuses the program there.
    public func attach() throws(BPFError) -> Link {
        try link(to: "its section's hook") { bpf_program__attach(raw) }
    }

    func link(
        to target: @autoclosure () -> String, _ attach: () -> OpaquePointer?
    ) throws(BPFError) -> Link {
        Link(.libbpf(try checkedPointer("attach \(name) to \(target())", program: name, attach)))
    }

    /// How many instructions the verifier went through, where `measureVerifier` asked before
    /// the load: `processed N insns`.
    public var verifiedInstructions: Int? {
        guard let words = handle.statistics.text(of: name)?.split(separator: " "),
            let at = words.lastIndex(where: { $0 == "processed" || $0.hasSuffix("\nprocessed") }),
            words.indices.contains(at + 1)
        else { return nil }
        return Int(words[at + 1])
    }
}
