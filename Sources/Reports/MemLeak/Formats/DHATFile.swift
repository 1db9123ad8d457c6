// SPDX-License-Identifier: Apache-2.0

/// DHAT's format, version 2, which dh_view and the Firefox Profiler open: what is outstanding, without lifetimes.
struct DHATFile: LeakRenderer {
    func render(_ profile: LeakProfile) -> [UInt8] {
        var indices: [String: Int] = ["[root]": 0]
        var table = ["[root]"]
        let points = profile.stacks.map { stack in
            // innermost first, as it is read
            let frames = profile.path(stack).reversed().map { name in
                if let index = indices[name] { return index }
                table.append(name)
                indices[name] = table.count - 1
                return table.count - 1
            }
            var point = JSONLine()
            point.add("tb", stack.sum.bytes)
            point.add("tbk", stack.sum.count)
            point.add("fs", frames)
            return point
        }
        var file = JSONLine()
        file.add("dhatFileVersion", 2)
        file.add("mode", "outstanding")
        file.add("verb", "Outstanding")
        file.add("bklt", false)
        file.add("bkacc", false)
        file.add("tu", "ns")
        file.add("Mtu", "s")
        file.add("cmd", profile.target)
        file.add("pid", profile.stacks.first?.pid ?? 0)
        file.add("te", profile.watched)
        file.add("pps", points)
        file.add("ftbl", table)
        return file.finish()
    }
}
