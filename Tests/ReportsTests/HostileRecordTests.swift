// SPDX-License-Identifier: Apache-2.0
import SchemaSupport
import Testing
import TraceRecords

@testable import Reports

/// One kind of record: how many bytes it has, and what its first ones are.
struct RecordKind: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let size: Int
    /// What makes a record of any bytes one of this kind.
    let mark: @Sendable (inout [UInt8]) -> Void
    /// Decodes and renders: nil for no event, else its text and JSON lines.
    let render: @Sendable ([UInt8]) -> (text: [String], json: [String])?

    static let all: [RecordKind] = oomkill + shmsnoop + memleak + process + growth

    private static let oomkill: [RecordKind] = [
        RecordKind(
            testDescription: "oomkill victim", size: MemoryLayout<oomkill_event>.size,
            mark: { $0.put(OOMKILL_VICTIM.rawValue, at: 0) }, render: oomkill),
        RecordKind(
            testDescription: "oomkill end", size: MemoryLayout<oomkill_end>.size,
            mark: { $0.put(OOMKILL_END.rawValue, at: 0) }, render: oomkill),
        RecordKind(
            testDescription: "a program's signal", size: MemoryLayout<oomkill_sent>.size,
            mark: {
                $0.put(OOMKILL_SENT.rawValue, at: 0)
                $0.put(UInt32(15), at: signalOffset)
            }, render: oomkill),
    ]

    private static let signalOffset = MemoryLayout<oomkill_sent>.offset(of: \.signal) ?? 0

    private static func oomkill(_ bytes: [UInt8]) -> (text: [String], json: [String])? {
        switch OOMKillEvent(bytes.span.bytes) {
        case .victim(let victim):
            let stack = (victim.kernelStack ?? []).map { "0x" + String($0, radix: 16) }
            return (
                OOMKillText.lines(victim, loadavg: "0", stack: stack),
                [OOMKillJSON.line(victim, loadavg: "0", stack: stack).text()]
            )
        case .sent(let kill):
            let killer = MemoryKiller(name: "earlyoom", evidence: [.senderName])
            return (OOMKillText.lines(kill, by: killer, nil), [OOMKillJSON.line(kill, by: killer, nil).text()])
        case .end(let end): return ([OOMKillText.line(end)], [OOMKillJSON.line(end).text()])
        case nil: return nil
        }
    }

    private static let callOffset = MemoryLayout<shm_event>.offset(of: \.call) ?? 0
    private static let flagsOffset = MemoryLayout<shm_event>.offset(of: \.flags) ?? 0

    private static let shmsnoop: [RecordKind] = ShmCall.Kind.allCases.flatMap { call in
        [
            ("", 0, MemoryLayout<shm_event>.size),
            (" with a name", SHM_CALL_NAMED.rawValue, MemoryLayout<shm_named_event>.size),
            (" with two names", SHM_CALL_RENAMED.rawValue, MemoryLayout<shm_renamed_event>.size),
        ].map { (names: String, flags: UInt32, size: Int) in
            RecordKind(
                testDescription: "shmsnoop \(call.name)\(names)", size: size,
                mark: {
                    $0.put(call.rawValue, at: callOffset)
                    $0.put(flags, at: flagsOffset)
                },
                render: { bytes in
                    guard case .returned(let call)? = ShmSnoopEvent(bytes.span.bytes) else { return nil }
                    var text = ShmCallText(timestamps: true, threads: true, latency: true, all: true)
                    let time = Clocks().time(monotonic: call.time)
                    return ([text.line(call)], [ShmCallJSON.line(call, time: time).text()])
                })
        }
    }

    private static let operationOffset = MemoryLayout<memleak_event>.offset(of: \.op) ?? 0

    private static let memleak: [RecordKind] = [
        ("mapping by mmap", MEMLEAK_MAPPING, MEMLEAK_MMAP), ("mapping by munmap", MEMLEAK_MAPPING, MEMLEAK_MUNMAP),
        ("mapping by mremap", MEMLEAK_MAPPING, MEMLEAK_MREMAP), ("call", MEMLEAK_TRACED, MEMLEAK_SIZE),
        ("free", MEMLEAK_TRACED, MEMLEAK_FREE),
    ].map { (name: String, kind: memleak_kind, operation: memleak_op) in
        let (kind, operation) = (kind.rawValue, operation.rawValue)
        return RecordKind(
            testDescription: "memleak \(name)", size: MemoryLayout<memleak_event>.size,
            mark: {
                $0.put(kind, at: 0)
                $0.put(operation, at: operationOffset)
            },
            render: { bytes in
                guard let event = MemLeakEvent(bytes.span.bytes) else { return nil }
                var ledger = MappingLedger(pageSize: 4096)
                ledger.map(pid: 1, address: 0x10000, length: 0x8000, time: 5, stack: 6)
                switch event {
                case .traced(let call): return ([call.text], [call.json.text()])
                case .mapping(let call):
                    ledger.apply(call)
                    var table = OutstandingTable(youngest: .max)
                    table.add(ledger)
                    return (["\(table.total.bytes)"], [])
                case .process: return nil
                }
            })
    }

    private static let process: [RecordKind] = [
        ("fork", PROCESS_FORKED), ("exec", PROCESS_EXECED), ("exit", PROCESS_EXITED),
        ("unmapped code", PROCESS_UNMAPPED),
    ].map { (name: String, kind: process_change_kind) in
        RecordKind(
            testDescription: "process \(name)", size: MemoryLayout<process_change>.size,
            mark: { $0.put(kind.rawValue, at: 0) },
            render: { bytes in
                guard let change = ProcessChange(bytes.span.bytes) else { return nil }
                #expect(MemLeakEvent(bytes.span.bytes) == .process(change))
                #expect(GrowthEvent(bytes.span.bytes) == .process(change))
                if case .execed(_, let comm, _, _) = change { return ([Printable.text(comm)], []) }
                return ([], [])
            })
    }

    private static let growth = [
        RecordKind(
            testDescription: "growth move", size: MemoryLayout<growth_move>.size,
            mark: { $0.put(PROCESS_CHANGES.rawValue, at: 0) },
            render: { bytes in
                guard case .moved(let move)? = GrowthEvent(bytes.span.bytes) else { return nil }
                return (move.targets(pageBytes: 4096).prefix(4).map { "\($0)" }, [])
            })
    ]
}

extension [UInt8] {
    /// Writes a number into a record.
    mutating func put(_ number: UInt32, at offset: Int) {
        guard offset + 4 <= count else { return }
        Swift.withUnsafeBytes(of: number) { replaceSubrange(offset..<(offset + 4), with: $0) }
    }
}

/// Records whose bytes no program of ours would write.
@Suite struct HostileRecords {
    @Test("a record cut at any length is none", arguments: RecordKind.all)
    func truncated(kind: RecordKind) {
        for count in 0..<kind.size {
            var bytes = [UInt8](repeating: 0, count: count)
            kind.mark(&bytes)
            #expect(kind.render(bytes) == nil, "\(count) of \(kind.size) bytes")
        }
        var whole = [UInt8](repeating: 0, count: kind.size)
        kind.mark(&whole)
        #expect(kind.render(whole) != nil)
    }

    @Test("a kind that no program has is none", arguments: [UInt32(0), 14, 100, 0x0100_0000, .max])
    func unknown(kind: UInt32) {
        var bytes = [UInt8](repeating: 0, count: 4096)
        bytes.put(kind, at: 0)
        #expect(OOMKillEvent(bytes.span.bytes) == nil)
        #expect(MemLeakEvent(bytes.span.bytes) == nil)
        #expect(GrowthEvent(bytes.span.bytes) == nil)
        var call = shm_event()
        call.call = kind
        #expect(ShmSnoopEvent(bytesOf: call) == nil)
    }

    @Test("operations that memleak's programs do not have are none")
    func operations() {
        let none: [(memleak_kind, UInt32)] = [
            (MEMLEAK_MAPPING, MEMLEAK_SIZE.rawValue), (MEMLEAK_TRACED, 0), (MEMLEAK_TRACED, MEMLEAK_OPS.rawValue),
            (MEMLEAK_TRACED, .max),
        ]
        for (kind, operation) in none {
            var record = memleak_event()
            (record.kind, record.op) = (kind.rawValue, operation)
            #expect(MemLeakEvent(bytesOf: record) == nil)
        }
    }

    @Test("whatever the other bytes are: one line each, fit for a terminal, and JSON", arguments: RecordKind.all)
    func wild(kind: RecordKind) throws {
        var random = SystemRandomNumberGenerator()
        var patterns: [[UInt8]] = [0x00, 0x01, 0x1b, 0x41, 0x7f, 0x80, 0xc3, 0xff].map {
            [UInt8](repeating: $0, count: kind.size + 8)
        }
        patterns += (0..<64).map { _ in (0..<kind.size).map { _ in .random(in: .min ... .max, using: &random) } }
        for pattern in patterns {
            var bytes = pattern
            kind.mark(&bytes)
            let (text, json) = try #require(kind.render(bytes), "\(bytes)")
            for line in text {
                #expect(!line.unicodeScalars.contains { $0.value < 32 || $0.value == 127 }, "\(line) of \(bytes)")
            }
            for line in json {
                // a duration of years is one, if no program measures it
                let findings = RecordLine.findings(in: line).filter { !$0.contains("beyond 2^53") }
                #expect(findings == [], "of \(bytes)")
            }
        }
    }
}

/// Values of maps whose lengths and counts lie.
@Suite struct HostileMapValues {
    private func filled<Record: BitwiseCopyable>(_ empty: Record, with byte: UInt8) -> Record {
        var record = empty
        withUnsafeMutableBytes(of: &record) { bytes in
            for index in bytes.indices { bytes[index] = byte }
        }
        return record
    }

    @Test("counts of frames beyond the record are its frames", arguments: [UInt32(0), 1, 127, 128, .max])
    func stacks(count: UInt32) {
        var user = filled(stack_record(), with: 0xaa)
        user.count = count
        #expect(CapturedStack(user).frames.count == min(Int(count), Int(STACK_FRAMES)))
        #expect(CapturedStack(user).end == nil)
        var kernel = filled(kstack_record(), with: 0xaa)
        kernel.count = count
        #expect(CapturedKernelStack(kernel).frames.count == min(Int(count), Int(KSTACK_FRAMES)))
        #expect(CapturedKernelStack(kernel).kind == nil)
    }

    @Test("names without a NUL, without UTF-8, of NULs only", arguments: [UInt8(0x00), 0x41, 0x80, 0xff])
    func names(byte: UInt8) {
        let cache = KernelCache(filled(kernelleak_cache(), with: byte))
        #expect(cache.name.unicodeScalars.count == (byte == 0 ? 0 : Int(KERNELLEAK_CACHE_NAME)))
        let use = CacheTopUse(key: filled(cachetop_key(), with: byte), entry: filled(cachetop_entry(), with: byte))
        #expect(use.comm.unicodeScalars.count == (byte == 0 ? 0 : 16))
        #expect((use.key.file == nil) == (byte == 0xff))
        let swapin = SwapInCounters(records: [filled(swapin_counters(), with: byte)], epoch: 1)
        #expect(swapin.comm.unicodeScalars.count == (byte == 0 ? 0 : 16))
    }

    @Test("lengths beyond the record are its length", arguments: [UInt32(0), 1, 512, 1024, .max])
    func paths(length: UInt32) {
        var cgroup = filled(swapin_cgroup(), with: 0x61)
        cgroup.length = length
        #expect(CgroupPath(cgroup).path.count == 1 + min(Int(length), Int(SWAPIN_PATH)))
        var path = filled(cachetop_path(), with: 0x61)
        path.length = length
        let decoded = CachedFilePath(cachetop_file(), path)
        #expect(decoded.text?.count == (length == 0 ? nil : 1 + min(Int(length), Int(CACHETOP_PATH))))
        #expect(decoded.isCut)
    }

    @Test("sums wrap; none of them traps")
    func sums() {
        let pages = filled(pagecache_counters(), with: 0xff)
        var ledger = PageCacheLedger(from: PageCacheCounters(records: []))
        _ = ledger.advance(to: PageCacheCounters(records: [pages, pages]))
        #expect(PageCacheCounters(records: [pages, pages]).inserted == UInt64.max - 1)
        let ahead = filled(readahead_counters(), with: 0xff)
        #expect(ReadaheadCounters(records: [ahead, ahead]).used == UInt64.max - 1)
        #expect(
            MemLeakCounters(records: [memleak_counters](repeating: filled(memleak_counters(), with: 0xff), count: 3))
                .frees == UInt64.max - 2)
        #expect(
            AllocationTotal(records: [memleak_total(bytes: .max, count: .min), memleak_total(bytes: 1, count: -1)])
                .count == .max)
    }

    @Test(
        "sizes that no allocator gives",
        arguments: [
            SampleWeight.oneIn(1), SampleWeight.oneIn(.max), SampleWeight.distance(1), SampleWeight.distance(1e9),
        ])
    func sizes(weight: SampleWeight) {
        var table = OutstandingTable(youngest: .max, weight: weight)
        for address in 0..<4 as Range<UInt64> {
            table.add(pid: 1, address: address, bytes: .max, time: .max, stack: 1)
            table.add(pid: 1, address: address, bytes: 0, time: 0, stack: 1)
        }
        #expect(table.sites.count == 1)
        _ = (table.total.bytesError, table.total.countError)
    }

    @Test("stamps that no clock gives", arguments: [UInt64(0), 1, UInt64(Int64.max), .max])
    func times(stamp: UInt64) {
        let time = WallTime(monotonic: stamp)
        #expect(time.rfc3339.hasSuffix("Z"))
        #expect(time.clockTime.count == 8)
    }
}
