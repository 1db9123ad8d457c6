// SPDX-License-Identifier: Apache-2.0

/// The first record of every tool that traces.
public enum StartJSON {
    /// - Parameters:
    ///   - pageBytes: the size of the kernel's pages.
    ///   - rungs: each ladder with the rung in use, nil where it has none.
    public static func line(
        time: WallTime, tool: String, version: String, kernel: String, pageBytes: Int,
        rungs: [(ladder: String, rung: String?)]
    ) -> JSONLine {
        var chosen = JSONLine()
        for (ladder, rung) in rungs { chosen.add(ladder, rung) }
        var line = JSONLine(type: "start")
        line.add("time", time.rfc3339)
        line.add("tool", tool)
        line.add("version", version)
        line.add("kernel", kernel)
        line.add("page_bytes", pageBytes)
        line.add("rungs", chosen)
        return line
    }
}
