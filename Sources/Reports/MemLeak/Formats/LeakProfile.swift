// SPDX-License-Identifier: Apache-2.0

/// All that a report is made of, shown or not: what other tools read.
public struct LeakProfile: Hashable, Sendable {
    /// In the report's order.
    public let stacks: [MemLeakStack]
    public let time: WallTime
    /// How long it was traced, nanoseconds.
    public let watched: UInt64
    /// As the report's head names it.
    public let target: String
    /// Stacks begin with their process.
    public let showsProcesses: Bool

    public init(
        stacks: [MemLeakStack], time: WallTime, watched: UInt64, target: String, showsProcesses: Bool = false
    ) {
        (self.stacks, self.time, self.watched) = (stacks, time, watched)
        (self.target, self.showsProcesses) = (target, showsProcesses)
    }

    /// What every format's values sum to.
    public var bytes: UInt64 { stacks.reduce(0) { $0 &+ $1.sum.bytes } }
    public var count: UInt64 { stacks.reduce(0) { $0 &+ $1.sum.count } }

    /// A stack's names, outermost first, its process before them where there may be several.
    func path(_ stack: MemLeakStack) -> [String] {
        var path: [String] = []
        if showsProcesses, let pid = stack.pid { path.append("\(stack.comm ?? "process") \(pid)") }
        if let kernel = stack.kernel { path.append(kernel.cache ?? kernel.kind.rawValue) }
        guard let frames = stack.frames else { return path + ["[stack lost]"] }
        if stack.end?.words != nil { path.append("[cut]") }
        return path + frames.reversed().map(\.name)
    }
}

extension MemLeakFrame {
    /// What a picture calls it: its function; where it has none, its place in its file.
    var name: String {
        if let symbol { return symbol }
        guard let moduleName else { return "0x" + String(address, radix: 16) }
        return moduleOffset.map { "\(moduleName)+0x\(String($0, radix: 16))" } ?? moduleName
    }

    /// The file without its directories.
    var moduleName: String? { module.map { path in path.split(separator: "/").last.map(String.init) ?? path } }
}

/// A format that other tools read. Every one's values sum to what the report says is outstanding.
public protocol LeakRenderer: Sendable {
    func render(_ profile: LeakProfile) -> [UInt8]
}

/// The formats.
public enum LeakFormat: String, CaseIterable, Sendable {
    case folded, flamegraph, pprof, speedscope, dhat

    public var renderer: any LeakRenderer {
        switch self {
        case .folded: FoldedStacks()
        case .flamegraph: FlameGraph()
        case .pprof: PprofProfile()
        case .speedscope: SpeedscopeFile()
        case .dhat: DHATFile()
        }
    }

    /// Its readers expect it compressed.
    public var isCompressed: Bool { self == .pprof }
}
