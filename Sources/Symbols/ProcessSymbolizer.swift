// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// Names addresses of live processes, and of processes that have gone since they were loaded.
///
/// A process is read at the first address asked for, or by `load`: only what was loaded before it exits can be named
/// after. Tables of functions are shared between processes that map the same file, where only root may write to it or
/// the user they run as.
public final class ProcessSymbolizer: Symbolizer {
    public struct Options: Hashable, Sendable {
        /// Names as the linker knows them, not demangled.
        public var rawNames = false
        /// File, line and inlined functions, where there is debug information. Costs its whole size in memory.
        public var lines = false
        /// Where debug files of packages live.
        public var debugDirectory: FilePath = "/usr/lib/debug"
        /// More processes than these aren't kept: the one least recently asked for is forgotten.
        public var mostProcesses = 512

        public init() {}
    }

    private let options: Options
    private var processes: [Int32: TracedProcess] = [:]
    private let modules: ModuleCache
    private let reading: FileReading
    private var kernel: Result<KernelSymbols, SymbolError>?
    private var ticks: UInt64 = 0

    /// - Parameter reading: what reading the processes' files may cost.
    public init(options: Options = Options(), reading: FileReading = FileReading()) {
        self.options = options
        self.reading = reading
        modules = ModuleCache(wantsLines: options.lines, debugDirectory: options.debugDirectory, reading)
    }

    /// Reads the mappings of a process and the tables of all files it executes, so that it may exit.
    ///
    /// - Throws: `.system` when the process isn't there or may not be looked at. Files that can't be read are left out.
    public func load(process: Int32) throws(SymbolError) { try read(process).loadModules() }

    /// Reads the mappings of a process and opens the files it executes: what `load` then does may come when it has
    /// exited. Takes a fraction of its time.
    ///
    /// - Throws: `.system` when the process isn't there or may not be looked at.
    public func hold(process: Int32) throws(SymbolError) { try read(process).holdModules() }

    private func read(_ process: Int32) throws(SymbolError) -> TracedProcess {
        if let known = processes[process], !known.wasReplaced(now: true) {
            do throws(SymbolError) {
                try known.refresh()
            } catch {
                // gone: what was read while it lived stays
                guard !known.isEmpty else { throw error }
            }
            return known
        }
        let traced = TracedProcess(process, modules, reading)
        try traced.refresh()
        keep(traced)
        return traced
    }

    /// Drops what is known of a process, and tables that no other process uses. For when it has exited and been reported:
    /// its number may be given to another.
    public func forget(process: Int32) {
        guard processes.removeValue(forKey: process) != nil else { return }
        modules.keepOnly(usedBy: processes.values)
    }

    public func frames(address: UInt64, isReturnAddress: Bool, process: Int32) -> [Frame] {
        let traced = traced(process)
        // behind the last byte of the call; of address 0 that is no place at all
        let past: UInt64 = isReturnAddress ? 1 : 0
        let lookup = address &- past
        guard let place = traced.place(lookup) else { return [Frame(address: address)] }
        switch place {
        case .unnamed(let path, let offset):
            return [Frame(address: address, module: path, moduleAddress: offset.map { $0 &+ (address - lookup) })]
        case .generated(let name, let offset, let path):
            return [Frame(address: address, symbol: readable(name, process), offset: offset + past, module: path)]
        case .module(let table, let path, let moduleAddress):
            return frames(table, path, moduleAddress, address: address, past: past)
        }
    }

    private func frames(
        _ table: ModuleTable, _ path: FilePath, _ moduleAddress: UInt64, address: UInt64, past: UInt64
    ) -> [Frame] {
        let index = table.symbols.index(address: moduleAddress)
        let symbol = index.map { table.name(at: $0, raw: options.rawNames) }
        let offset = index.map { moduleAddress + past - table.symbols.entries[$0].address } ?? 0
        let scopes = table.scopes(address: moduleAddress)
        func frame(_ symbol: String?, _ offset: UInt64, _ scope: DwarfLines.Scope?) -> Frame {
            Frame(
                address: address, symbol: symbol, offset: offset, module: path, moduleAddress: moduleAddress &+ past,
                buildID: table.symbols.image.buildID, source: scope?.source, isInlined: scope?.isInlined ?? false)
        }
        guard !scopes.isEmpty else { return [frame(symbol, offset, nil)] }
        func readable(_ name: String) -> String { options.rawNames ? name : table.readable(name) }
        return scopes.map { scope in
            // The outermost function is the one that the symbol table knows.
            scope.isInlined
                ? frame(scope.name.map(readable), 0, scope) : frame(symbol ?? scope.name.map(readable), offset, scope)
        }
    }

    /// A name that the process's compiler wrote down.
    private func readable(_ name: String, _ process: Int32) -> String {
        options.rawNames ? name : processes[process]?.names.demangle(name) ?? name
    }

    public func kernelFrame(address: UInt64) -> Frame {
        let symbols = kernel ?? Result { () throws(SymbolError) in try KernelSymbols() }
        kernel = symbols
        guard let symbol = try? symbols.get().name(for: address) else {
            return Frame(address: address, module: "[kernel]")
        }
        return Frame(
            address: address, symbol: symbol.name, offset: symbol.offset,
            module: symbol.module.map { FilePath("[\($0)]") } ?? "[kernel]")
    }

    /// Why kernel addresses have no names; nil while they have, or weren't asked for.
    public var kernelError: SymbolError? {
        if case .failure(let error)? = kernel { return error }
        return nil
    }

    /// Why files in use have no lines, one error a file; empty unless lines were asked for.
    public var lineErrors: [SymbolError] {
        modules.tables.compactMap(\.linesError)
    }

    private func traced(_ pid: Int32) -> TracedProcess {
        if let known = processes[pid], !known.wasReplaced() {
            ticks += 1
            known.lastUse = ticks
            return known
        }
        let fresh = TracedProcess(pid, modules, reading)
        // A process already gone keeps an empty list: its addresses stay without names.
        try? fresh.refresh()
        keep(fresh)
        return fresh
    }

    private func keep(_ traced: TracedProcess) {
        ticks += 1
        traced.lastUse = ticks
        processes[traced.pid] = traced
        guard processes.count > max(options.mostProcesses, 1),
            let oldest = processes.values.min(by: { $0.lastUse < $1.lastUse })
        else { return }
        forget(process: oldest.pid)
    }
}
