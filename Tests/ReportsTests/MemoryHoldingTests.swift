// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceRecords

@testable import Reports

@Suite struct MemoryHoldings {
    private func bytes(_ records: [meminfo_holding]) -> [UInt8] {
        records.flatMap { record in withUnsafeBytes(of: record) { Array($0) } }
    }

    private func record(_ kind: meminfo_kind, address: UInt64 = 1, bytes: UInt64 = 4096) -> meminfo_holding {
        var record = meminfo_holding()
        (record.kind, record.pid, record.address, record.bytes) = (kind.rawValue, 7, address, bytes)
        return record
    }

    @Test("a thing that many have is counted once; a kind that is not known, and half a record, not at all")
    func once() {
        var unknown = record(MEMINFO_PIPE)
        unknown.kind = 99
        let records = [
            record(MEMINFO_PIPE), record(MEMINFO_PIPE), record(MEMINFO_PIPE, address: 2),
            record(MEMINFO_SOCKET), unknown, record(MEMINFO_BPF_RING), record(MEMINFO_SHARED),
        ]
        let holdings = MemoryHolding.all(bytes(records) + [1, 2, 3])
        #expect(holdings.count == 6)
        var pages = HeldPages(known: [.pipes, .sockets, .perfRings])
        for holding in holdings { pages.add(holding) }
        #expect(pages.bytes == [.pipes: 8192, .sockets: 4096, .perfRings: 0])
    }

    @Test("numbers no kernel has do not trap")
    func hostile() {
        let holdings = MemoryHolding.all(
            bytes([record(MEMINFO_PIPE, bytes: .max), record(MEMINFO_PIPE, address: 2, bytes: .max)]))
        var pages = HeldPages(known: [.pipes])
        for holding in holdings { pages.add(holding) }
        #expect(pages.bytes[.pipes] == .max)
        #expect(MemoryHolding.all([]).isEmpty && ProcessNamespaces.all([1]).isEmpty && ProcessMemory.all([1]).isEmpty)
        var reading = MemInfoSample.reading()
        reading.heldPages = pages
        let ledger = MemoryLedger(reading)
        #expect(ledger?[.pipes] == nil && ledger?.absurdCounters == ["pipes"])
    }

    @Test("a file: where a process has it, and its device")
    func file() throws {
        var record = record(MEMINFO_SHARED)
        (record.inode, record.device, record.links, record.fd) = (5, 3 << 20 | 17, 0, 4)
        withUnsafeMutableBytes(of: &record.name) { $0.copyBytes(from: Array("memfd:x".utf8)) }
        var mapped = record
        (mapped.start, mapped.end, mapped.fd) = (0x1000, 0x3000, -1)
        let holdings = MemoryHolding.all(bytes([record, mapped]))
        #expect(holdings.map(\.place) == [.open(descriptor: 4), .mapped(start: 0x1000, end: 0x3000)])
        let first = try #require(holdings.first)
        #expect((first.major, first.minor) == (3, 17) && first.name == "memfd:x" && first.kind == .shared)
    }

    @Test("pages of a part that is told are out of the remainder; of one that is not told they are in it")
    func ledger() throws {
        let without = try #require(MemoryLedger(MemInfoSample.reading()))
        #expect(without[.pipes] == nil && without[.bpfRings] == nil)
        var reading = MemInfoSample.reading()
        reading.heldPages = HeldPages(known: [.pipes, .sockets])
        for holding in MemoryHolding.all(bytes([record(MEMINFO_PIPE), record(MEMINFO_PACKET_RING)])) {
            reading.heldPages.add(holding)
        }
        let with = try #require(MemoryLedger(reading))
        #expect(with[.pipes] == 4096 && with[.sockets] == 0 && with[.packetRings] == nil)
        #expect(without.unaccountedBytes - with.unaccountedBytes == 4096)
    }

    @Test("a process by the kernel's word: exact, in bytes")
    func process() throws {
        var record = process_memory()
        (record.pid, record.page_bytes, record.uid, record.threads) = (7, 4096, 1000, 3)
        (record.anon_pages, record.file_pages, record.shmem_pages, record.swap_pages) = (1, 2, 3, 4)
        record.pgtables_bytes = 8192
        let process = try #require(ProcessMemory.all(withUnsafeBytes(of: record) { Array($0) }).first)
        #expect(process.exactRSSBytes == 6 * 4096 && process.rssBytes == 6 * 4096)
        #expect((process.anonBytes, process.fileBytes, process.shmemBytes) == (4096, 8192, 12288))
        #expect(process.swapBytes == 16384 && process.pageTablesBytes == 8192)
        #expect(process.uid == 1000 && process.threads == 3 && process.pssBytes == nil)
    }
}
