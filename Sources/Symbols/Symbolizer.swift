// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// A place in a source file.
public struct SourceLocation: Hashable, Sendable {
    public let file: String
    public let line: Int
    /// 0 where the compiler didn't say.
    public let column: Int

    public init(file: String, line: Int, column: Int = 0) {
        self.file = file
        self.line = line
        self.column = column
    }
}

/// One function on a stack.
public struct Frame: Hashable, Sendable {
    /// As it was captured.
    public let address: UInt64
    /// The function; nil when nothing names it.
    public let symbol: String?
    /// Bytes from the function's start; 0 without a symbol, and for an inlined function.
    public let offset: UInt64
    /// The file, `[vdso]`, a kernel module, `[kernel]`; nil where nothing is mapped.
    public let module: FilePath?
    /// The address within the module as linked: what `addr2line -e module` takes. Its offset in the file where the
    /// headers can't be read.
    public let moduleAddress: UInt64?
    public let buildID: BuildID?
    /// Only when asked for, and where there is debug information.
    public let source: SourceLocation?
    /// The compiler has merged this function into the next frame's.
    public let isInlined: Bool

    public init(
        address: UInt64, symbol: String? = nil, offset: UInt64 = 0, module: FilePath? = nil,
        moduleAddress: UInt64? = nil, buildID: BuildID? = nil, source: SourceLocation? = nil, isInlined: Bool = false
    ) {
        self.address = address
        self.symbol = symbol
        self.offset = offset
        self.module = module
        self.moduleAddress = moduleAddress
        self.buildID = buildID
        self.source = source
        self.isInlined = isInlined
    }
}

/// Turns addresses into names. Never fails: what has no name is a frame without a symbol.
///
/// A class, for it caches; not for use from several threads at once.
public protocol Symbolizer: AnyObject {
    /// The functions at `address` in a process, innermost first: one, or more where functions were inlined. Never empty.
    ///
    /// A return address belongs to the call before it: it is looked up one byte earlier, for a call may be the last
    /// instruction of its function.
    func frames(address: UInt64, isReturnAddress: Bool, process: Int32) -> [Frame]

    /// The kernel's function at `address`.
    func kernelFrame(address: UInt64) -> Frame
}

extension Symbolizer {
    /// All functions of a user stack, innermost first. The first address is where the thread stood, the others are return
    /// addresses.
    public func frames(stack: [UInt64], process: Int32) -> [Frame] {
        stack.enumerated().flatMap { index, address in
            frames(address: address, isReturnAddress: index > 0, process: process)
        }
    }
}

/// A symbolizer that knows what it is told: for golden files.
public final class FixedSymbolizer: Symbolizer {
    private let names: [UInt64: [String]]
    private let module: FilePath

    /// `names` by exact address, innermost function first.
    public init(_ names: [UInt64: [String]], module: FilePath = "/bin/fixed") {
        self.names = names
        self.module = module
    }

    public func frames(address: UInt64, isReturnAddress: Bool, process: Int32) -> [Frame] {
        guard let known = names[address], let last = known.indices.last else { return [Frame(address: address)] }
        return known.indices.map {
            Frame(address: address, symbol: known[$0], module: module, moduleAddress: address, isInlined: $0 < last)
        }
    }

    public func kernelFrame(address: UInt64) -> Frame {
        Frame(address: address, symbol: names[address]?.first, module: "[kernel]")
    }
}
