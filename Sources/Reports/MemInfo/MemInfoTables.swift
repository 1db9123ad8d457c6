// SPDX-License-Identifier: Apache-2.0

/// The tables below a ledger: who has the memory.
public enum MemInfoTables {
    /// Processes, those with the largest share first.
    ///
    /// - Parameter count: rows to show.
    public static func lines(_ processes: [ProcessMemory], count: Int) -> [String] {
        var heading = TableLine()
        heading.left("PID", 7)
        heading.left("COMM", 15)
        heading.right(["RSS_MB", "PSS", "USS", "SWAP", "SHMEM", "TABLES"], 8)
        return [heading.text]
            + processes.prefix(count).map { process in
                var line = TableLine()
                line.left(String(process.pid), 7)
                line.left(Printable.text(process.comm), 15)
                line.right(
                    [
                        process.rssBytes, process.pssBytes, process.ussBytes, process.swapBytes, process.shmemBytes,
                        process.pageTablesBytes,
                    ].map(megabytes), 8)
                return line.text
            } + rest(processes.count, count)
    }

    public static func lines(_ cgroups: [CgroupMemory], count: Int) -> [String] {
        var heading = TableLine()
        heading.right("CGROUP_MB", 9)
        heading.right(["ANON", "FILE", "SHMEM", "SLAB", "MAX"], 8)
        heading.add("PATH")
        return [heading.text]
            + cgroups.prefix(count).map { cgroup in
                var line = TableLine()
                line.right(megabytes(cgroup.currentBytes), 9)
                line.right(
                    [cgroup.anonBytes, cgroup.fileBytes, cgroup.shmemBytes, cgroup.slabBytes, cgroup.maxBytes]
                        .map(megabytes), 8)
                line.add(tail(Printable.text(cgroup.path.manager ?? cgroup.path.path), 24))
                return line.text
            } + rest(cgroups.count, count)
    }

    /// Files of shared memory.
    public static func lines(_ files: [SharedMemory.Object], count: Int) -> [String] {
        var heading = TableLine()
        heading.right("FILE_MB", 9)
        heading.left("HELD BY", 16)
        heading.left("PART", 16)
        heading.add("NAME")
        return [heading.text]
            + files.prefix(count).map { file in
                var line = TableLine()
                line.right(megabytes(file.bytes), 9)
                line.left(file.heldBy, 16)
                line.left(file.kind.part.rawValue, 16)
                line.add(tail(Printable.text(file.name), 35))
                return line.text
            } + rest(files.count, count)
    }

    private static func rest(_ all: Int, _ shown: Int) -> [String] {
        all > shown ? ["… and \(all - shown) more"] : []
    }

    private static func megabytes(_ bytes: UInt64?) -> String {
        bytes.map { fixed(Double($0) / 1_048_576, 1) } ?? "-"
    }

    /// The end of a path says more than its beginning.
    private static func tail(_ text: String, _ width: Int) -> String {
        text.count <= width ? text : "…" + text.suffix(width - 1)
    }
}

extension MemInfoJSON {
    public static func line(_ process: ProcessMemory, _ time: WallTime) -> JSONLine {
        var line = JSONLine(type: "meminfo_process")
        line.add("time", time.rfc3339)
        line.add("pid", process.pid)
        line.add("comm", process.comm)
        line.add("uid", process.uid)
        line.add("rss_bytes", process.rssBytes)
        line.add("rss_exact", process.exactRSSBytes != nil)
        line.add("anon_bytes", process.anonBytes)
        line.add("file_bytes", process.fileBytes)
        line.add("shmem_bytes", process.shmemBytes)
        line.add("pss_bytes", process.pssBytes)
        line.add("uss_bytes", process.ussBytes)
        line.add("swap_bytes", process.swapBytes)
        line.add("page_tables_bytes", process.pageTablesBytes)
        line.add("threads", process.threads)
        return line
    }

    public static func line(_ cgroup: CgroupMemory, _ time: WallTime) -> JSONLine {
        var line = JSONLine(type: "meminfo_cgroup")
        line.add("time", time.rfc3339)
        line.add("path", cgroup.path.path)
        line.add("manager", cgroup.path.manager)
        line.add("current_bytes", cgroup.currentBytes)
        line.add("max_bytes", cgroup.maxBytes)
        line.add("high_bytes", cgroup.highBytes)
        line.add("anon_bytes", cgroup.anonBytes)
        line.add("file_bytes", cgroup.fileBytes)
        line.add("active_file_bytes", cgroup.activeFileBytes)
        line.add("inactive_file_bytes", cgroup.inactiveFileBytes)
        line.add("shmem_bytes", cgroup.shmemBytes)
        line.add("slab_bytes", cgroup.slabBytes)
        line.add("sock_bytes", cgroup.sockBytes)
        line.add("percpu_bytes", cgroup.percpuBytes)
        line.add("dying_cgroups", cgroup.dying)
        return line
    }

    public static func line(_ file: SharedMemory.Object, _ time: WallTime) -> JSONLine {
        var line = JSONLine(type: "meminfo_file")
        line.add("time", time.rfc3339)
        line.add("part", file.kind.part.rawValue)
        line.add("name", file.name)
        line.add("bytes", file.bytes)
        line.add("holders", file.holders)
        line.add("pid", file.pid)
        return line
    }
}
