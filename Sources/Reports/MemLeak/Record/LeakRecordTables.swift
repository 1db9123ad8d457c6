// SPDX-License-Identifier: Apache-2.0

/// Texts, frames and sites that a writer has written, and refers to by number from then on.
struct LeakRecordTables: Sendable {
    var texts: [String: UInt64] = [:]
    var frames: [MemLeakFrame: UInt64] = [:]
    var sites: [AllocationSite: UInt64] = [:]
    /// Sites written, forgotten ones included.
    var siteCount: UInt64 = 0
}

/// A reader's texts, frames and sites, by number.
struct LeakRecordLists: Sendable {
    var texts: [String] = []
    var frames: [MemLeakFrame] = []
    var sites: [AllocationSite] = []
}

extension ByteWriter {
    /// A text: its number, and where that is new, the text itself behind it; 0: none.
    mutating func add(_ text: String?, _ tables: inout LeakRecordTables) {
        guard let text else { return add(short: 0) }
        if let number = tables.texts[text] { return add(short: number) }
        let number = UInt64(tables.texts.count + 1)
        tables.texts[text] = number
        add(short: number)
        add(long: text)
    }

    mutating func add(_ frame: MemLeakFrame, _ tables: inout LeakRecordTables) {
        if let number = tables.frames[frame] { return add(short: number) }
        let number = UInt64(tables.frames.count)
        tables.frames[frame] = number
        add(short: number)
        add(short: frame.address)
        add(frame.symbol, &tables)
        add(short: frame.offset)
        add(frame.module, &tables)
        add(optional: frame.moduleOffset)
        add(frame.buildID, &tables)
        add(frame.file, &tables)
        add(optional: frame.line.map { UInt64(bitPattern: Int64($0)) })
        add(frame.isInlined)
    }

    mutating func add(_ captured: AllocationSite, _ site: LeakSite, _ tables: inout LeakRecordTables) {
        if let number = tables.sites[captured] {
            add(short: number)
        } else {
            add(short: tables.siteCount)
            tables.sites[captured] = tables.siteCount
            tables.siteCount += 1
            add(short: UInt64(captured.pid))
            add(captured.stack)
        }
        add(short: site.frames.map { UInt64($0.count) + 1 } ?? 0)
        for frame in site.frames ?? [] { add(frame, &tables) }
        add(site.end?.rawValue, &tables)
        add(site.kernel?.kind.rawValue, &tables)
        if let kernel = site.kernel { add(kernel.cache, &tables) }
    }

    /// 0 for none.
    mutating func add(optional number: UInt64?) {
        add(number != nil)
        if let number { add(short: number) }
    }

    mutating func add(_ flag: Bool) { add(UInt8(flag ? 1 : 0)) }

    /// A number: a whole one in few bytes, any other in nine.
    mutating func add(_ number: Double) {
        if number >= 0, number < 9_007_199_254_740_992, number == number.rounded(), number.sign == .plus {
            return add(short: UInt64(number) << 1)
        }
        add(short: 1)
        add(number.bitPattern)
    }
}

extension ByteReader {
    mutating func text(_ lists: inout LeakRecordLists) -> String?? {
        guard let number = short() else { return nil }
        if number == 0 { return .some(nil) }
        let index = number - 1
        if index < UInt64(lists.texts.count) { return lists.texts[Int(index)] }
        guard index == UInt64(lists.texts.count), let text = longText() else { return nil }
        lists.texts.append(text)
        return text
    }

    mutating func frame(_ lists: inout LeakRecordLists) -> MemLeakFrame? {
        guard let number = short() else { return nil }
        if number < UInt64(lists.frames.count) { return lists.frames[Int(number)] }
        guard number == UInt64(lists.frames.count), let address = short(), let symbol = text(&lists),
            let offset = short(), let module = text(&lists), let moduleOffset = optional(),
            let buildID = text(&lists), let file = text(&lists), let line = optional(), let isInlined = flag()
        else { return nil }
        let frame = MemLeakFrame(
            address: address, symbol: symbol, offset: offset, module: module, moduleOffset: moduleOffset,
            buildID: buildID, file: file, line: line.map { Int(truncatingIfNeeded: $0) }, isInlined: isInlined)
        lists.frames.append(frame)
        return frame
    }

    mutating func site(_ lists: inout LeakRecordLists) -> (AllocationSite, LeakSite)? {
        guard let number = short(), number <= UInt64(lists.sites.count) else { return nil }
        if number == UInt64(lists.sites.count) {
            guard let pid = short(), let pid = UInt32(exactly: pid), let stack = self.number(UInt64.self) else {
                return nil
            }
            lists.sites.append(AllocationSite(pid: pid, stack: stack))
        }
        guard let count = count() else { return nil }
        var site = LeakSite()
        if count > 0 {
            var frames: [MemLeakFrame] = []
            for _ in 1..<count {
                guard let frame = frame(&lists) else { return nil }
                frames.append(frame)
            }
            site.frames = frames
        }
        guard let end = text(&lists), let kind = text(&lists) else { return nil }
        if let end {
            guard let end = StackEnd(rawValue: end) else { return nil }
            site.end = end
        }
        if let kind {
            guard let kind = KernelMemoryKind(rawValue: kind), let cache = text(&lists) else { return nil }
            site.kernel = KernelMemory(kind: kind, cache: cache)
        }
        return (lists.sites[Int(number)], site)
    }

    mutating func optional() -> UInt64?? {
        guard let isThere = flag() else { return nil }
        guard isThere else { return .some(nil) }
        return short().map { .some($0) }
    }

    mutating func flag() -> Bool? {
        switch number(UInt8.self) {
        case 0: false
        case 1: true
        default: nil
        }
    }

    mutating func double() -> Double? {
        guard let number = short() else { return nil }
        if number & 1 == 0 { return Double(number >> 1) }
        guard number == 1, let bits = self.number(UInt64.self) else { return nil }
        return Double(bitPattern: bits)
    }
}
