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
    /// The compiler has merged this function into the next frame's.
    public let isInlined: Bool

    public init(
        address: UInt64, symbol: String? = nil, offset: UInt64 = 0, module: String? = nil,
        moduleOffset: UInt64? = nil, buildID: String? = nil, file: String? = nil, line: Int? = nil,
        isInlined: Bool = false
    ) {
        self.isInlined = isInlined
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

/// One line of a report: a stack, or several that are one by its granularity.
public struct MemLeakStack: Hashable, Sendable {
    /// nil: the kernel's.
    public let pid: UInt32?
    /// The process's name; nil: the kernel's, or not known.
    public let comm: String?
    public let id: StackID
    public let sum: OutstandingSum
    public let trend: StackTrend
    /// How many stacks it is made of, which differ in where a function calls the next.
    public let members: Int
    /// The largest member's, innermost first; nil: the stack was lost.
    public let frames: [MemLeakFrame]?
    /// What of the kernel it is; nil: a process's, or lost with the stack.
    public let kernel: KernelMemory?
    /// Where the walk ended; nil: by frame pointers, which don't say.
    public let end: StackEnd?

    public init(
        pid: UInt32?, comm: String? = nil, id: StackID = StackID(nil, by: .function), sum: OutstandingSum,
        trend: StackTrend = StackTrend(verdict: .tooEarly), members: Int = 1, frames: [MemLeakFrame]?,
        kernel: KernelMemory? = nil, end: StackEnd? = nil
    ) {
        (self.pid, self.comm, self.id, self.sum) = (pid, comm, id, sum)
        (self.trend, self.members, self.frames) = (trend, members, frames)
        (self.kernel, self.end) = (kernel, end)
    }
}

extension MemLeakStack {
    /// The same, of a process of that name.
    func called(_ comm: String) -> MemLeakStack {
        MemLeakStack(
            pid: pid, comm: comm, id: id, sum: sum, trend: trend, members: members, frames: frames, kernel: kernel,
            end: end)
    }
}
