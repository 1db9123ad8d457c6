// SPDX-License-Identifier: Apache-2.0
internal import Reports
internal import Symbols
internal import SystemPackage

/// Names the functions of user stacks, of processes that live or have lived.
final class StackNames {
    private let symbolizer: ProcessSymbolizer
    /// A forked process that has not called exec has its parent's mappings.
    private var parents: [UInt32: UInt32] = [:]

    init(lines: Bool, reading: FileReading) {
        var options = ProcessSymbolizer.Options()
        options.lines = lines
        symbolizer = ProcessSymbolizer(options: options, reading: reading)
    }

    /// Reads a process's mappings and symbols while it is there.
    func load(_ pid: UInt32) {
        // Gone already: what was read before, or its parent's, must do.
        try? symbolizer.load(process: Int32(pid))
    }

    /// Sees to it that `load` can come later, be the process gone by then.
    func hold(_ pid: UInt32) { try? symbolizer.hold(process: Int32(pid)) }

    func forked(_ pid: UInt32, by parent: UInt32) { parents[pid] = parents[parent] ?? parent }

    /// It is gone and reported.
    func ended(_ pid: UInt32) {
        parents[pid] = nil
        symbolizer.forget(process: Int32(pid))
    }

    /// Its mappings are others from now on.
    func execed(_ pid: UInt32) {
        parents[pid] = nil
        symbolizer.forget(process: Int32(pid))
    }

    /// A stack's functions. A chain of frame pointers that led out of code is cut there.
    ///
    /// - Parameter isExact: the innermost address is where the thread was, not where a call returns to.
    func frames(_ stack: CapturedStack, pid: UInt32, isExact: Bool = false) -> [MemLeakFrame] {
        let owner = parents[pid] ?? pid
        var result: [MemLeakFrame] = []
        // the sampler's own frames, and those of an operator new between them
        var own = 0
        for (index, address) in stack.frames.enumerated() {
            let frames = symbolizer.frames(
                address: address, isReturnAddress: index > 0 || !isExact, process: Int32(owner))
            if stack.end == nil, index > 0, let first = frames.first, !isCode(first) { break }
            result += frames.map { frame in
                MemLeakFrame(
                    address: frame.address, symbol: frame.symbol, offset: frame.offset,
                    module: frame.module?.description, moduleOffset: frame.moduleAddress,
                    buildID: frame.buildID?.description, file: frame.source?.file, line: frame.source?.line,
                    isInlined: frame.isInlined)
            }
            if index < 6, result.last?.module.map(ProcessSampler.isSampler) == true { own = result.count }
        }
        result.removeFirst(own)
        if stack.isBeforeTrace { result.append(MemLeakFrame(address: 0, module: "[before the trace]")) }
        return result
    }

    private func isCode(_ frame: Frame) -> Bool {
        if frame.symbol != nil { return true }
        guard let module = frame.module?.description else { return false }
        return module != "[heap]" && module != "[stack]"
    }
}
