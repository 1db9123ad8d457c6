// SPDX-License-Identifier: Apache-2.0

/// Stacks that begin alike, merged: what a flame graph shows.
final class FlameNode {
    let name: String
    private(set) var bytes: UInt64 = 0
    private(set) var count: UInt64 = 0
    /// Bytes a second; what shrinks is none.
    private(set) var growth = 0.0
    private var leakingBytes: UInt64 = 0
    /// Some of it leaks.
    private(set) var hasLeak = false
    /// Half of it leaks, or more.
    var leaks: Bool { hasLeak && leakingBytes >= bytes &- leakingBytes }
    private var children: [String: FlameNode] = [:]

    private init(name: String) { self.name = name }

    init(_ profile: LeakProfile) {
        name = profile.target
        for stack in profile.stacks {
            var node = self
            node.add(stack)
            for name in profile.path(stack) {
                let child = node.children[name] ?? FlameNode(name: name)
                node.children[name] = child
                child.add(stack)
                node = child
            }
        }
    }

    private func add(_ stack: MemLeakStack) {
        bytes &+= stack.sum.bytes
        count &+= stack.sum.count
        growth += max(0, stack.trend.growth?.value ?? 0)
        guard stack.trend.verdict == .leaking else { return }
        hasLeak = true
        leakingBytes &+= stack.sum.bytes
    }

    /// By name: the same place in two pictures.
    var sorted: [FlameNode] { children.values.sorted { $0.name < $1.name } }
}
