// SPDX-License-Identifier: Apache-2.0

/// pprof's protocol buffer (profile.proto of github.com/google/pprof), not yet compressed: objects and bytes in use.
struct PprofProfile: LeakRenderer {
    func render(_ profile: LeakProfile) -> [UInt8] {
        var tables = PprofTables()
        tables.addMainModule(of: profile)
        var samples: [ProtoMessage] = []
        for stack in profile.stacks {
            var sample = ProtoMessage()
            sample.add(1, packed: tables.locations(stack))
            sample.add(2, packed: [stack.sum.count, stack.sum.bytes])
            for label in tables.labels(stack) { sample.add(3, label) }
            samples.append(sample)
        }
        var message = ProtoMessage()
        for type in ["inuse_objects", "inuse_space"] { message.add(1, tables.valueType(type)) }
        for sample in samples { message.add(2, sample) }
        for mapping in tables.mappings { message.add(3, mapping) }
        for location in tables.locations { message.add(4, location) }
        for function in tables.functions { message.add(5, function) }
        let space = tables.string("inuse_space"), period = tables.valueType("inuse_space", isPeriod: true)
        for string in tables.strings { message.add(6, Array(string.utf8)) }
        message.add(9, UInt64(max(0, profile.time.nanoseconds)))
        message.add(10, profile.watched)
        message.add(11, period)
        message.add(12, 1)
        message.add(14, space)
        return message.bytes
    }
}

/// What samples refer to by number: strings from 0 on, of which the first is empty, all else from 1 on.
private struct PprofTables {
    private(set) var strings = [""]
    private(set) var mappings: [ProtoMessage] = []
    private(set) var locations: [ProtoMessage] = []
    private(set) var functions: [ProtoMessage] = []
    private var stringIndices = ["": UInt64(0)]
    private var mappingIDs: [String: UInt64] = [:]
    private var locationIDs: [Place: UInt64] = [:]
    private var functionIDs: [String: UInt64] = [:]

    private struct Place: Hashable {
        let module: String?
        let address: UInt64
        let names: [String]
    }

    mutating func string(_ text: String) -> UInt64 {
        if let index = stringIndices[text] { return index }
        strings.append(text)
        stringIndices[text] = UInt64(strings.count - 1)
        return UInt64(strings.count - 1)
    }

    mutating func valueType(_ type: String, isPeriod: Bool = false) -> ProtoMessage {
        let isSpace = type == "inuse_space"
        var message = ProtoMessage()
        message.add(1, string(isPeriod ? "space" : type))
        message.add(2, string(isSpace ? "bytes" : "count"))
        return message
    }

    /// The first mapping is taken for the program's: where most begins, and in no library.
    mutating func addMainModule(of profile: LeakProfile) {
        let roots = profile.stacks.flatMap { $0.frames?.suffix(4) ?? [] }
        let main = roots.first { $0.module.map { $0.hasPrefix("/") && !$0.contains(".so") } ?? false }
        if let main { _ = mapping(main) }
    }

    private mutating func mapping(_ frame: MemLeakFrame) -> UInt64 {
        guard let module = frame.module else { return 0 }
        if let id = mappingIDs[module] { return id }
        var message = ProtoMessage()
        let id = UInt64(mappings.count + 1)
        message.add(1, id)
        // addresses are the file's own, as linked
        message.add(3, UInt64(Int64.max))
        message.add(5, string(module))
        message.add(6, string(frame.buildID ?? ""))
        message.add(7, 1)
        mappings.append(message)
        mappingIDs[module] = id
        return id
    }

    private mutating func function(_ frame: MemLeakFrame) -> UInt64 {
        let key = frame.name + "\0" + (frame.file ?? "")
        if let id = functionIDs[key] { return id }
        var message = ProtoMessage()
        let id = UInt64(functions.count + 1), name = string(frame.name)
        message.add(1, id)
        message.add(2, name)
        message.add(3, name)
        message.add(4, string(frame.file ?? ""))
        functions.append(message)
        functionIDs[key] = id
        return id
    }

    /// The stack's locations, innermost first; functions inlined at one place are one location.
    mutating func locations(_ stack: MemLeakStack) -> [UInt64] {
        var ids: [UInt64] = []
        var inlined: [MemLeakFrame] = []
        for frame in stack.frames ?? [MemLeakFrame(address: 0, symbol: "[stack lost]")] {
            inlined.append(frame)
            guard !frame.isInlined else { continue }
            ids.append(location(inlined))
            inlined = []
        }
        if !inlined.isEmpty { ids.append(location(inlined)) }
        return ids
    }

    private mutating func location(_ frames: [MemLeakFrame]) -> UInt64 {
        guard let frame = frames.last else { return 0 }
        let address = frame.moduleOffset ?? frame.address
        let place = Place(module: frame.module, address: address, names: frames.map(\.name))
        if let id = locationIDs[place] { return id }
        var message = ProtoMessage()
        let id = UInt64(locations.count + 1)
        message.add(1, id)
        message.add(2, mapping(frame))
        message.add(3, address)
        for frame in frames {
            var line = ProtoMessage()
            line.add(1, function(frame))
            line.add(2, UInt64(max(0, frame.line ?? 0)))
            message.add(4, line)
        }
        locations.append(message)
        locationIDs[place] = id
        return id
    }

    mutating func labels(_ stack: MemLeakStack) -> [ProtoMessage] {
        var labels: [ProtoMessage] = []
        func label(_ key: UInt64, _ value: (UInt32, UInt64)) {
            var message = ProtoMessage()
            message.add(1, key)
            message.add(value.0, value.1)
            labels.append(message)
        }
        label(string("verdict"), (2, string(stack.trend.verdict.rawValue)))
        label(string("id"), (2, string(stack.id.text)))
        if let comm = stack.comm { label(string("comm"), (2, string(comm))) }
        if let pid = stack.pid { label(string("pid"), (3, UInt64(pid))) }
        return labels
    }
}

/// A protocol buffer's message, field by field: profile.proto has numbers, texts and messages alone.
private struct ProtoMessage {
    private(set) var bytes: [UInt8] = []

    private mutating func append(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A number; 0 is what a field has that is not there.
    mutating func add(_ field: UInt32, _ value: UInt64) {
        guard value != 0 else { return }
        append(UInt64(field) << 3)
        append(value)
    }

    mutating func add(_ field: UInt32, _ text: [UInt8]) {
        append(UInt64(field) << 3 | 2)
        append(UInt64(text.count))
        bytes += text
    }

    mutating func add(_ field: UInt32, _ message: ProtoMessage) { add(field, message.bytes) }

    mutating func add(_ field: UInt32, packed values: [UInt64]) {
        var list = ProtoMessage()
        for value in values { list.append(value) }
        add(field, list.bytes)
    }
}
