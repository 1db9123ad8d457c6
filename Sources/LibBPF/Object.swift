// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf

/// The one owner of a `struct bpf_object`: closing it unloads what it loaded.
/// An inner handle, so that the typestates around it need no deinit of their own.
struct ObjectHandle: ~Copyable {
    let raw: OpaquePointer
    let name: String
    /// Where the verifier's statistics of each program go, if they were asked for.
    let statistics = VerifierLogs()

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
}

/// What an object says of one of its programs, before the kernel sees it.
public struct ProgramSpec: Hashable, Sendable {
    public let name: String
    /// The ELF section, e.g. `tp_btf/mark_victim`.
    public let section: String
    /// Where it is meant to attach.
    public var attachPoint: AttachPoint { AttachPoint(section: section) }
    /// Instructions before CO-RE relocation.
    public let instructionCount: Int
}

/// What an object says of one of its maps.
public struct MapSpec: Hashable, Sendable {
    public let name: String
    /// The kernel's name of the type, e.g. `percpu_array`.
    public let type: String
    /// Bytes.
    public let keySize: Int
    /// Bytes; of one CPU's value for a per-CPU map.
    public let valueSize: Int
    public let maxEntries: Int
}

/// A parsed object file: nothing of it is in the kernel yet. Needs no privilege.
public struct OpenObject: ~Copyable {
    let handle: ObjectHandle

    /// Parses an object image, which must stay where it is while this lives.
    ///
    /// - Parameter btf: a file of BTF type information to relocate against in place
    ///   of the running kernel's own.
    public init(
        image: UnsafeRawBufferPointer, name: String, btf: String? = nil
    ) throws(BPFError) {
        let raw = try checkedPointer("open BPF object \(name)") {
            // SAFETY: libbpf copies what it keeps of the image and of both strings.
            image.baseAddress.flatMap {
                clibbpf_open($0, image.count, name, btf)
            }
        }
        handle = ObjectHandle(raw: raw, name: name)
    }

    /// The object's programs, in the order of the file.
    public var programs: [ProgramSpec] {
        var specs: [ProgramSpec] = []
        var next = bpf_object__next_program(handle.raw, nil)
        while let program = next {
            // SAFETY: both names are NUL-terminated and live as long as the object.
            specs.append(
                ProgramSpec(
                    name: String(cString: bpf_program__name(program)),
                    section: String(cString: bpf_program__section_name(program)),
                    instructionCount: bpf_program__insn_cnt(program)))
            next = bpf_object__next_program(handle.raw, program)
        }
        return specs
    }

    /// The object's maps, those of its data sections included.
    public var maps: [MapSpec] {
        var specs: [MapSpec] = []
        var next = bpf_object__next_map(handle.raw, nil)
        while let map = next {
            // SAFETY: both names are NUL-terminated; libbpf's type names are literals.
            specs.append(
                MapSpec(
                    name: String(cString: bpf_map__name(map)),
                    type: libbpf_bpf_map_type_str(bpf_map__type(map)).map { String(cString: $0) }
                        ?? "?",
                    keySize: Int(bpf_map__key_size(map)), valueSize: Int(bpf_map__value_size(map)),
                    maxEntries: Int(bpf_map__max_entries(map))))
            next = bpf_object__next_map(handle.raw, map)
        }
        return specs
    }

    /// Loads only the programs named; the others stay out of the kernel.
    public func autoload(only names: Set<String>) throws(BPFError) {
        for program in programs {
            let raw = try handle.program(program.name)
            try checked("select program \(program.name)", program: program.name) {
                bpf_program__set_autoload(raw, names.contains(program.name))
            }
        }
    }

    /// Leaves a map out: of a type that this kernel may not have, used by no program loaded.
    public func omitMap(_ name: String) throws(BPFError) {
        let map = try handle.map(name)
        try checked("omit map \(name)") { bpf_map__set_autocreate(map, false) }
    }

    /// Sizes a map, in entries (bytes for a ring buffer).
    public func setMaxEntries(_ entries: Int, ofMap name: String) throws(BPFError) {
        let map = try handle.map(name)
        try checked("size map \(name)") {
            bpf_map__set_max_entries(map, UInt32(clamping: entries))
        }
    }

    /// Allocates all of a hash map's entries when it is created (true) or as they come
    /// (false). Before 6.1 (fba1a1c6c912, "Convert hash map to bpf_mem_alloc") the kernel
    /// warns of tracing programs with the latter.
    public func setPreallocated(_ preallocated: Bool, ofMap name: String) throws(BPFError) {
        let map = try handle.map(name)
        try checked("preallocate map \(name)") {
            let flags = bpf_map__map_flags(map) & ~UInt32(BPF_F_NO_PREALLOC)
            return bpf_map__set_map_flags(
                map, preallocated ? flags : flags | UInt32(BPF_F_NO_PREALLOC))
        }
    }

    /// Sets a read-only data section, e.g. `.rodata.config`, which holds one value of this type.
    ///
    /// - Throws: `BPFError` when there is no such section or it has another size.
    public func setReadOnlyData<Value: BitwiseCopyable>(
        _ section: String, to value: Value
    ) throws(BPFError) {
        let map = try handle.map(section)
        try checked("set \(section) of \(handle.name)") {
            // SAFETY: libbpf copies exactly the size it is told, and checks it.
            withUnsafeBytes(of: value) { bytes in
                guard let base = bytes.baseAddress else { return -22 }
                return bpf_map__set_initial_value(map, base, bytes.count)
            }
        }
    }

    /// Has the verifier say how much work each selected program is, for
    /// `LoadedObject.verifiedInstructions`.
    public func measureVerifier() throws(BPFError) {
        for program in programs {
            let raw = try handle.program(program.name)
            guard bpf_program__autoload(raw) else { continue }
            let log = handle.statistics.log(of: program.name)
            try checked("measure program \(program.name)", program: program.name) {
                // BPF_LOG_STATS: a few lines behind a program that is accepted
                bpf_program__set_log_level(raw, 4)
                // SAFETY: the log lives as long as the object that writes to it.
                return bpf_program__set_log_buf(raw, log.baseAddress, log.count)
            }
        }
    }

    /// Puts maps and the selected programs into the kernel.
    ///
    /// - Throws: `BPFError`, with `program` set where the verifier or the kernel
    ///   refused one program, and with the end of its log.
    public consuming func load() throws(BPFError) -> LoadedObject {
        do {
            try checked("load BPF object \(handle.name)") { bpf_object__load(handle.raw) }
        } catch {
            throw error.naming(programs.map(\.name))
        }
        return LoadedObject(handle: handle)
    }
}

extension BPFError {
    /// Finds out from libbpf's words which program was refused:
    /// `prog 'NAME': BPF program load failed: …`.
    fileprivate consuming func naming(_ programs: [String]) -> BPFError {
        guard
            let refused = programs.first(where: { name in
                log.contains { $0.contains("prog '\(name)':") }
            })
        else { return self }
        program = refused
        operation = "load program \(refused)"
        return self
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

/// Programs and maps in the kernel, attached to nothing yet.
public struct LoadedObject: ~Copyable {
    let handle: ObjectHandle

    /// A program's descriptor, for links made outside libbpf. Lives as long as the object.
    public func descriptor(ofProgram name: String) throws(BPFError) -> Int32 {
        let program = try handle.program(name)
        return try checked("program \(name) is not loaded", program: name) {
            bpf_program__fd(program)
        }
    }

    /// How many instructions the verifier went through for a program, where
    /// `measureVerifier` asked before the load: `processed N insns`.
    public func verifiedInstructions(of program: String) -> Int? {
        guard let words = handle.statistics.text(of: program)?.split(separator: " "),
            let at = words.lastIndex(where: { $0 == "processed" || $0.hasSuffix("\nprocessed") }),
            words.indices.contains(at + 1)
        else { return nil }
        return Int(words[at + 1])
    }

    /// How often the kernel skipped a program because it was running on that CPU already:
    /// a task that was preempted in it kept another's event from being seen (Linux 5.12;
    /// 0 before, where nothing is skipped).
    public func skippedRuns(ofProgram name: String) throws(BPFError) -> UInt64 {
        try info(ofProgram: name).recursion_misses
    }

    /// The kernel's digest of a program's instructions as they were loaded: relocated, not verified yet.
    public func tag(ofProgram name: String) throws(BPFError) -> UInt64 {
        let tag = try info(ofProgram: name).tag
        // SAFETY: eight bytes.
        return withUnsafeBytes(of: tag) { $0.loadUnaligned(as: UInt64.self) }
    }

    private func info(ofProgram name: String) throws(BPFError) -> bpf_prog_info {
        let descriptor = try descriptor(ofProgram: name)
        var info = bpf_prog_info()
        var size = UInt32(MemoryLayout<bpf_prog_info>.size)
        try checked("ask about program \(name)", program: name) {
            // SAFETY: the kernel writes at most `size` bytes.
            bpf_obj_get_info_by_fd(descriptor, &info, &size)
        }
        return info
    }

    /// A map's descriptor, to put into a map of maps. Lives as long as the object.
    public func descriptor(ofMap name: String) throws(BPFError) -> Int32 {
        try mapInfo(name).descriptor
    }

    func mapInfo(_ name: String) throws(BPFError) -> MapInfo {
        let map = try handle.map(name)
        let descriptor = try checked("map \(name) is not loaded") { bpf_map__fd(map) }
        return MapInfo(
            name: name, descriptor: descriptor, type: bpf_map__type(map),
            keySize: Int(bpf_map__key_size(map)), valueSize: Int(bpf_map__value_size(map)))
    }
}
