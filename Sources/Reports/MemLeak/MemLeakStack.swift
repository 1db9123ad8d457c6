// SPDX-License-Identifier: Apache-2.0

/// One function of a stack, named.
public struct MemLeakFrame: Hashable, Sendable {
    public let address: UInt64
    public let symbol: String?
    public let offset: UInt64
    /// The file's whole path.
    public let module: String?
    /// The address in the module as linked; nil: the kernel's, or in no file.
    public let moduleOffset: UInt64?
    /// The module's build-id in hexadecimal digits; nil: it has none, or it is not known.
    public let buildID: String?
    public let file: String?
    public let line: Int?

    public init(
        address: UInt64, symbol: String? = nil, offset: UInt64 = 0, module: String? = nil,
        moduleOffset: UInt64? = nil, buildID: String? = nil, file: String? = nil, line: Int? = nil
    ) {
        self.address = address
        self.symbol = symbol
        self.offset = offset
        self.module = module
        self.moduleOffset = moduleOffset
        self.buildID = buildID
        self.file = file
        self.line = line
    }
}

/// One line of a report: a site and its stack.
public struct MemLeakStack: Hashable, Sendable {
    /// nil: the kernel's.
    public let pid: UInt32?
    public let sum: OutstandingSum
    /// Innermost first; nil: the stack was lost.
    public let frames: [MemLeakFrame]?
    /// What of the kernel it is; nil: a process's, or lost with the stack.
    public let kernel: KernelMemory?
    /// Where the walk ended; nil: by frame pointers, which don't say.
    public let end: StackEnd?

    public init(
        pid: UInt32?, sum: OutstandingSum, frames: [MemLeakFrame]?, kernel: KernelMemory? = nil,
        end: StackEnd? = nil
    ) {
        self.pid = pid
        self.sum = sum
        self.frames = frames
        self.kernel = kernel
        self.end = end
    }
}
