// SPDX-License-Identifier: Apache-2.0
internal import Reports
internal import Symbols

/// Names the functions of kernel stacks.
final class KernelStackNames {
    private(set) var symbols: KernelSymbols?
    private var isFresh = true

    /// Reads /proc/kallsyms; where it hides its addresses frames stay without names.
    ///
    /// - Parameter lacking: what else is missing then, for the user.
    init(lacking: String? = nil) {
        do throws(SymbolError) {
            symbols = try KernelSymbols()
        } catch {
            note("kernel stacks stay without names\(lacking.map { ", and \($0)" } ?? ""): \(error)")
        }
    }

    /// A report begins: modules may have come since the last.
    func refresh() { isFresh = false }

    /// A stack's functions, innermost first, without those that only trace.
    func frames(_ addresses: [UInt64]) -> [MemLeakFrame] {
        var frames = addresses.map { address in
            // Where a call returns to: the call itself is before it, maybe in another function.
            let symbol = symbol(address &- 1)
            return MemLeakFrame(
                // as /proc/kallsyms has them: 0 where they are hidden
                address: symbols == nil ? 0 : address, symbol: symbol?.name, offset: symbol.map { $0.offset + 1 } ?? 0,
                module: symbol.map { $0.module ?? "kernel" })
        }
        frames.removeFirst(Self.tracing(frames))
        return frames
    }

    /// Blocks without their addresses, where this process is to see none of the kernel's.
    func shown(_ blocks: [OutstandingBlock]) -> [OutstandingBlock] {
        symbols == nil ? blocks.map { OutstandingBlock(address: 0, bytes: $0.bytes) } : blocks
    }

    private func symbol(_ address: UInt64) -> KernelSymbol? {
        if let symbol = symbols?.name(for: address) { return symbol }
        guard symbols != nil, !isFresh else { return nil }
        isFresh = true
        if let now = try? KernelSymbols() { symbols = now }
        return symbols?.name(for: address)
    }

    /// How many frames belong to the program and what calls it (include/trace/bpf_probe.h). The
    /// program's own has no name, or a wrong one, where net.core.bpf_jit_kallsyms is 0.
    private static func tracing(_ frames: [MemLeakFrame]) -> Int {
        let calls = ["bpf_trace_run", "__bpf_trace_", "__traceiter_"]
        let last = frames.prefix(8).lastIndex { frame in
            guard let name = frame.symbol else { return false }
            return calls.contains { name.hasPrefix($0) }
        }
        return last.map { $0 + 1 } ?? frames.prefix { $0.module == "bpf" }.count
    }
}
