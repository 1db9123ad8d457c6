// SPDX-License-Identifier: Apache-2.0

/// speedscope's own format: a profile of bytes and one of allocations, over the same frames.
struct SpeedscopeFile: LeakRenderer {
    func render(_ profile: LeakProfile) -> [UInt8] {
        var indices: [String: Int] = [:]
        var frames: [JSONLine] = []
        let samples = profile.stacks.map { stack in
            profile.path(stack).map { name in
                if let index = indices[name] { return index }
                var frame = JSONLine()
                frame.add("name", name)
                frames.append(frame)
                indices[name] = frames.count - 1
                return frames.count - 1
            }
        }
        func sampled(_ name: String, _ unit: String, _ value: (OutstandingSum) -> UInt64) -> JSONLine {
            var line = JSONLine()
            line.add("type", "sampled")
            line.add("name", name)
            line.add("unit", unit)
            line.add("startValue", 0)
            line.add("endValue", profile.stacks.reduce(0) { $0 &+ value($1.sum) })
            line.add("samples", samples)
            line.add("weights", profile.stacks.map { value($0.sum) })
            return line
        }
        var shared = JSONLine()
        shared.add("frames", frames)
        var file = JSONLine()
        file.add("$schema", "https://www.speedscope.app/file-format-schema.json")
        file.add("exporter", "swiftmem")
        file.add("name", "memleak of \(profile.target)")
        file.add("activeProfileIndex", 0)
        file.add("shared", shared)
        file.add("profiles", [sampled("bytes", "bytes") { $0.bytes }, sampled("allocations", "none") { $0.count }])
        return file.finish()
    }
}
