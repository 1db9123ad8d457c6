// SPDX-License-Identifier: Apache-2.0
// An object let go of, and a cycle of references.
final class Node { var value = 0 }
final class Ring {
    var other: Ring?
    var payload = (0, 0, 0, 0)
}
nonisolated(unsafe) var kept: [Unmanaged<Node>] = []
kept.reserveCapacity(3000)

@inline(never) func leakNode() { kept.append(Unmanaged.passRetained(Node())) }
@inline(never) func leakRing() {
    let a = Ring()
    let b = Ring()
    a.other = b
    b.other = a
}

for _ in 0..<1000 {
    leakNode()
    leakRing()
}
