// SPDX-License-Identifier: Apache-2.0

/// meminfo's JSON; Docs/tools/meminfo.md has the schema.
public enum MemInfoJSON {
    public static func line(_ report: MemInfoReport) -> JSONLine {
        let ledger = report.ledger
        var line = JSONLine(type: "meminfo")
        line.add("time", ledger.time.rfc3339)
        line.add("total_bytes", ledger.totalBytes)
        line.add(
            "parts",
            MemoryPart.allCases.map { part in
                var entry = JSONLine()
                entry.add("name", part.rawValue)
                entry.add("parent", part.parent?.rawValue)
                entry.add("bytes", ledger[part])
                entry.add("change_bytes", report.change(part))
                return entry
            })
        line.add("unaccounted_bytes", ledger.unaccountedBytes)
        line.add("unaccounted_error_bytes", ledger.errorBytes)
        line.add("unaccounted_bytes_per_second", report.unaccountedBytesPerSecond)
        return line
    }

    public static func line(_ detail: MemoryDetail, of ledger: MemoryLedger) -> JSONLine {
        var line = JSONLine(type: "meminfo_detail")
        line.add("time", ledger.time.rfc3339)
        line.add("part", detail.part.rawValue)
        line.add("name", detail.name)
        line.add("bytes", detail.bytes)
        return line
    }
}
