// SPDX-License-Identifier: Apache-2.0

/// A line a stack, as flamegraph.pl and inferno read them: names from the outermost on with semicolons between, a space,
/// bytes.
struct FoldedStacks: LeakRenderer {
    func render(_ profile: LeakProfile) -> [UInt8] {
        var sums: [String: UInt64] = [:]
        var order: [String] = []
        for stack in profile.stacks {
            let line = profile.path(stack).map(Self.field).joined(separator: ";")
            if sums[line] == nil { order.append(line) }
            sums[line, default: 0] &+= stack.sum.bytes
        }
        return Array(order.map { "\($0) \(sums[$0] ?? 0)\n" }.joined().utf8)
    }

    /// A semicolon would be two names.
    private static func field(_ name: String) -> String { Printable.text(name).replacing(";", with: ":") }
}
