// SPDX-License-Identifier: Apache-2.0

/// newtool's JSON; Docs/tools/newtool.md has the schema.
public enum NewToolJSON {
    public static func line(_ interval: NewToolInterval) -> JSONLine {
        var line = JSONLine(type: "newtool")
        line.add("time", interval.time.rfc3339)
        line.add("interval_ns", interval.intervalNanoseconds)
        line.add("tasks", interval.tasks)
        line.add("threads", interval.threads)
        line.add("processes", interval.rows.map(object))
        line.add("losses", interval.losses.json)
        return line
    }

    private static func object(_ row: NewToolRow) -> JSONLine {
        var line = JSONLine()
        line.add("pid", row.pid)
        line.add("comm", row.comm)
        line.add("tasks", row.tasks)
        line.add("threads", row.threads)
        return line
    }
}
