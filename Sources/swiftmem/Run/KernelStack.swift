// SPDX-License-Identifier: Apache-2.0
internal import Symbols

/// Names the addresses of a kernel stack, as the kernel's own reports do.
struct KernelStack {
    private let symbols: KernelSymbols

    /// Reads /proc/kallsyms.
    ///
    /// - Throws: `Failure` where it can't be read or hides its addresses.
    init() throws(Failure) {
        do throws(SymbolError) { symbols = try KernelSymbols() } catch { throw Failure(noKernelSymbols: error) }
    }

    /// `name+0xoffset [module]`, or the bare address.
    func name(_ address: UInt64) -> String {
        guard let symbol = symbols.name(for: address) else {
            return "0x" + String(address, radix: 16)
        }
        return "\(symbol.name)+0x\(String(symbol.offset, radix: 16))"
            + (symbol.module.map { " [\($0)]" } ?? "")
    }
}
