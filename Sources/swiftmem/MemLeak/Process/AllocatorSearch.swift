// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Symbols
internal import SystemLayer
internal import SystemPackage
internal import TraceRecords

/// Which files and names to look at.
struct AllocatorSearch {
    /// `-O`: a path, a file's name, or a library's name as the linker's -l takes it.
    var object: String?
    /// `--symbols-prefix`.
    var prefix: String?
    /// The sampler in the process is all that is looked for; else it is passed over.
    var samplerOnly = false
    /// What reading files may cost.
    let reading: FileReading

    /// All allocators that a process has mapped, except in files known already.
    ///
    /// - Throws: `Failure` when the process is gone or may not be looked at.
    func files(of pid: UInt32, except known: inout Set<FileNumber>) throws(Failure) -> [AllocatorFile] {
        let maps: ProcessMaps
        do throws(SymbolError) {
            maps = try ProcessMaps(pid: Int32(pid))
        } catch {
            throw Failure(error, ofProcess: pid)
        }
        var files: [AllocatorFile] = []
        var refused = false
        var reached = false
        var seen: Set<MappedFile> = []
        for mapping in maps.mappings where mapping.isExecutable && mapping.kind == .file {
            let shown = mapping.path.description
            guard !seen.contains(mapping.backing), matches(shown) else { continue }
            guard !reading.servers.mayHang(mapping, pid: Int32(pid)) else {
                reading.omit(mapping.path, .allocators, .served)
                seen.insert(mapping.backing)
                reached = true
                continue
            }
            guard let number = reachable(mapping, pid, &refused) else { continue }
            reached = true
            guard !known.contains(number) else {
                seen.insert(mapping.backing)
                continue
            }
            do throws(SymbolError) {
                // this mapping may be gone by now; the file may have others
                guard let file = try ModuleCache.open(mapping, pid: Int32(pid), reading) else { continue }
                let held = HeldFile(file)
                known.insert(number)
                seen.insert(mapping.backing)
                if let file = try inspect(held, shown: shown, number, ofLibrary: !isMain(mapping, pid)) {
                    files.append(file)
                }
            } catch {
                reading.omit(mapping.path, .allocators, error)
                // what stood in the way may go
                if case .system = error { known.remove(number) }
            }
        }
        if refused && !reached { throw Failure(mayNotLookAt: pid) }
        return files
    }

    /// By name: to ask the program's file could be to wait for ever.
    private func isMain(_ mapping: Mapping, _ pid: UInt32) -> Bool {
        let name = mapping.isDeleted ? mapping.path.string + " (deleted)" : mapping.path.string
        return ProcessFiles(pid).executable?.string == name
    }

    /// The mapping's own link opens the very file, deleted or in another mount
    /// namespace; the path within the process's root, and the same path here where it is
    /// the same file, are for who may not follow it.
    private func reachable(_ mapping: Mapping, _ pid: UInt32, _ refused: inout Bool) -> FileNumber? {
        for path in [mapping.mapFilesPath(pid: Int32(pid)), mapping.rootPath(pid: Int32(pid))] {
            if let number = FileNumber(path.description) { return number }
            refused = refused || errno == EACCES || errno == EPERM
        }
        let path = mapping.path.description
        if !mapping.isDeleted, let number = FileNumber(path), number.inode == mapping.inode {
            return number
        }
        return nil
    }

    func matches(_ path: String) -> Bool {
        guard let object else { return true }
        if object.contains("/") {
            return path == object || FileNumber(object).map { $0 == FileNumber(path) } ?? false
        }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return name == object || name.hasPrefix("lib\(object).") || name.hasPrefix("lib\(object)-")
            || name.hasPrefix("lib\(object)_")
    }

    /// nil: no allocator in it, or no ELF file.
    ///
    /// - Throws: `.system` where it can't be opened, `.leftOut`.
    func inspect(
        _ file: HeldFile, shown: String, _ number: FileNumber, ofLibrary: Bool
    ) throws(SymbolError) -> AllocatorFile? {
        let path = file.path
        let prefixes = prefix.map { [$0] } ?? AllocatorFunction.prefixes
        var names = Set(
            (AllocatorFunction.mappings + AllocatorFunction.new + AllocatorFunction.delete).map(\.name))
        names.formUnion(AllocatorFunction.ownNew)
        for (mark, functions) in AllocatorFunction.own {
            names.insert(mark)
            names.formUnion(functions.map(\.name))
        }
        for prefix in prefixes {
            names.formUnion((AllocatorFunction.heap + AllocatorFunction.extras).map { prefix + $0.name })
        }
        names.formUnion(AllocatorFunction.sampler.map(\.name))
        // A library's functions are in what it exports; a program's may be in its debug file.
        let debug = ofLibrary ? DebugFiles(directory: "/nonexistent") : DebugFiles()
        let found: [FunctionLocation]
        do throws(SymbolError) {
            found = try reading.timed(path: FilePath(path)) { () throws(SymbolError) in
                try ELFSymbols.functionOffsets(
                    named: names, path: FilePath(path), debugFiles: debug, reading: reading)
            }
        } catch {
            if case .malformedELF = error { return nil }
            throw error
        }
        let locations = Dictionary(grouping: found.filter { !$0.isIndirect }, by: \.name)
        var builder = Builder(locations: locations, placement: ProbePlacement(path: path, reading))
        let isSampler = AllocatorFunction.sampler.allSatisfy { builder.has($0.name) }
        if isSampler && samplerOnly {
            for function in AllocatorFunction.sampler { builder.add(function) }
            builder.hasHeap = true
        } else if !isSampler && !samplerOnly {
            builder.add(prefixes: prefixes, shown: shown, ofLibrary: ofLibrary)
        }
        guard !builder.sites.isEmpty else { return nil }
        return AllocatorFile(
            number: number, held: file, shownPath: shown, sites: builder.sites, missing: builder.missing,
            marksFrees: builder.marksFrees, hasHeap: builder.hasHeap)
    }

    private struct Builder {
        let locations: [String: [FunctionLocation]]
        let placement: ProbePlacement
        var sites: [ProbeSite] = []
        var missing: [String] = []
        var marksFrees = false
        var hasHeap = false
        private var offsets: Set<UInt64> = []

        init(locations: [String: [FunctionLocation]], placement: ProbePlacement) {
            self.locations = locations
            self.placement = placement
        }

        func has(_ name: String) -> Bool { locations[name] != nil }

        mutating func add(prefixes: [String], shown: String, ofLibrary: Bool) {
            let name = shown.split(separator: "/").last.map(String.init) ?? shown
            for prefix in prefixes where has(prefix + "malloc") {
                // a static program that never frees has no free either
                guard has(prefix + "free") || (prefix.isEmpty && !ofLibrary) else { continue }
                // old loaders have a small malloc of their own, for themselves
                if name.hasPrefix("ld-") && !has("posix_memalign") { continue }
                hasHeap = true
                if !(name.hasPrefix("libc.") || name.hasPrefix("libc-")) { marksFrees = true }
                for function in AllocatorFunction.heap {
                    let function = function.prefixed(prefix)
                    if has(function.name) { add(function) } else { missing.append(function.name) }
                }
                for function in AllocatorFunction.extras { add(function.prefixed(prefix)) }
            }
            for (mark, functions) in AllocatorFunction.own where hasHeap && has(mark) {
                for function in functions { add(function) }
            }
            // Elsewhere operator new is malloc() and operator delete is free(): of new, the
            // caller is all that is missing.
            if AllocatorFunction.ownNew.contains(where: has) {
                for function in AllocatorFunction.new { add(.init(name: function.name, op: MEMLEAK_NEW)) }
                for function in AllocatorFunction.delete { add(function) }
            } else {
                for function in AllocatorFunction.new { add(function) }
            }
            if has("mmap") && has("munmap") {
                for function in AllocatorFunction.mappings {
                    if has(function.name) { add(function) } else { missing.append(function.name) }
                }
            }
        }

        mutating func add(_ function: AllocatorFunction) {
            for location in locations[function.name] ?? [] {
                let place = placement.offset(of: location)
                // memalign and aligned_alloc are one function in glibc, mmap has an alias
                guard offsets.insert(location.fileOffset).inserted else {
                    sites.append(ProbeSite(function: function.name, op: 0, offset: place))
                    continue
                }
                sites.append(ProbeSite(function: function.name, op: function.op.rawValue, offset: place))
            }
        }
    }
}
