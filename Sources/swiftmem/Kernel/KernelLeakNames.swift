// SPDX-License-Identifier: Apache-2.0
internal import MemoryTools
internal import Symbols

/// Names the functions of kernel stacks.
final class KernelLeakNames {
    private(set) var symbols: KernelSymbols?
    private var isFresh = true

    /// Reads /proc/kallsyms; where it hides its addresses frames stay without names.
    init() {
        do throws(SymbolError) {
            symbols = try KernelSymbols()
        } catch {
            note("stacks stay without names, and the slab allocator's own pages are counted: \(error)")
        }
    }

    /// A report begins: modules may have come since the last.
    func refresh() { isFresh = false }

    /// A stack's functions, innermost first, without those that only trace.
    func frames(_ addresses: [UInt64]) -> [MemLeakFrame] {
        var result: [MemLeakFrame] = []
        for address in addresses {
            // Where a call returns to: the call itself is before it, maybe in another function.
            var symbol = symbols?.name(for: address &- 1)
            if symbol == nil, symbols != nil, !isFresh {
                isFresh = true
                if let now = try? KernelSymbols() { symbols = now }
                symbol = symbols?.name(for: address &- 1)
            }
            if result.isEmpty, let symbol, Self.traces(symbol) { continue }
            result.append(
                MemLeakFrame(
                    address: address, symbol: symbol?.name, offset: symbol.map { $0.offset + 1 } ?? 0,
                    module: symbol.map { $0.module ?? "kernel" }))
        }
        return result
    }

    /// The program itself and what calls it (include/trace/bpf_probe.h).
    private static func traces(_ symbol: KernelSymbol) -> Bool {
        symbol.module == "bpf"
            || ["bpf_trace_run", "__bpf_trace_", "__traceiter_", "bpf_prog_"].contains {
                symbol.name.hasPrefix($0)
            }
    }
}
