// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Swap on the machine as it is, or on zram for one test.
struct SwapSpace {
    private let holder: Running?

    static var isThere: Bool {
        let swaps = (try? String(contentsOfFile: "/proc/swaps", encoding: .utf8)) ?? ""
        return swaps.split(separator: "\n").count > 1
    }

    /// - Throws: what keeps the test from running where there is no swap and no zram.
    init() throws {
        if Self.isThere {
            holder = nil
            return
        }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Workloads/with-zram")
        let running = try Running(script, ["256", "/bin/sh", "-c", "echo ready; cat"])
        guard (try? running.line()) == "ready" else { throw Live.lacking("no swap here and no zram") }
        holder = running
    }

    func end() {
        holder?.closeInput()
        _ = holder?.finish()
    }
}
