// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf

/// A parsed object file: nothing of it is in the kernel yet. Needs no privilege.
///
/// Its programs and maps are set up here; `load()` consumes it.
public struct OpenObject: ~Copyable {
    let handle: ObjectHandle

    /// Parses the image of an object file.
    ///
    /// - Parameters:
    ///   - image: the whole file; libbpf copies what it keeps, so it may go afterwards.
    ///   - name: what errors call it.
    ///   - btf: the path of a file of BTF to relocate against in place of the running kernel's own.
    /// - Throws: `BPFError` where the image is no object file that libbpf can read, or `btf` can't be read.
    public init(image: RawSpan, name: String, btf: String? = nil) throws(BPFError) {
        let raw = try checkedPointer("open BPF object \(name)") {
            // SAFETY: libbpf copies what it keeps of the image and of both strings.
            image.withUnsafeBytes { image in
                image.baseAddress.flatMap { clibbpf_open($0, image.count, name, btf) }
            }
        }
        handle = ObjectHandle(owning: raw, name: name)
    }

    /// The object's programs, in the order of the file.
    public var programs: [OpenProgram] {
        handle.programs.map { OpenProgram(handle: handle, raw: $0) }
    }

    /// A program to set up.
    ///
    /// - Throws: `BPFError` where the object has none of this name.
    public func program(_ name: String) throws(BPFError) -> OpenProgram {
        OpenProgram(handle: handle, raw: try handle.program(name))
    }

    /// The object's maps, in the order of the file, those of its data sections included.
    public var maps: [OpenMap] { handle.maps.map { OpenMap(handle: handle, raw: $0) } }

    /// A map to set up.
    ///
    /// - Throws: `BPFError` where the object has none of this name.
    public func map(_ name: String) throws(BPFError) -> OpenMap {
        OpenMap(handle: handle, raw: try handle.map(name))
    }

    /// Loads only the programs named; the others stay out of the kernel.
    ///
    /// - Throws: `BPFError` where libbpf refuses; it has no reason to before the load.
    public func autoload(only names: Set<String>) throws(BPFError) {
        for program in programs { try program.setAutoload(names.contains(program.name)) }
    }

    /// Sets a read-only data section, e.g. `.rodata.config`, which holds one value of this type.
    ///
    /// - Throws: `BPFError` where there is no such section or it has another size.
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
    /// `Program.verifiedInstructions`.
    ///
    /// - Throws: `BPFError` where libbpf refuses; it has no reason to before the load.
    public func measureVerifier() throws(BPFError) {
        for program in programs where program.autoloads { try program.measureVerifier() }
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
