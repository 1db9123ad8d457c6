// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

/// The kernel's word of its first per-CPU memory: the least and the most that is taken for it.
@Suite struct FirstChunkBoundaries {
    private func bytes(_ message: String, _ possible: String = "0", page: Int = 4096) -> UInt64? {
        FirstPerCPUChunk.bytes(record: "6,1,0,-;" + message, possibleCPUs: possible, pageBytes: page)
    }

    @Test("a record's number: the second of three fields or more")
    func numbers() {
        #expect(FirstPerCPUChunk.number(ofRecord: "6,61,0;x") == 61)
        #expect(FirstPerCPUChunk.number(ofRecord: "6,61,0,-;x") == 61)
        #expect(FirstPerCPUChunk.number(ofRecord: "6,61;x") == nil)
        #expect(FirstPerCPUChunk.number(ofRecord: "6,x,0;x") == nil)
    }

    @Test("words: as many as are needed, each where it stands")
    func words() {
        #expect(bytes("percpu: Embedded 61 pages/cpu") == UInt64(61 * 4096))
        #expect(bytes("percpu: Embedded 61 pages/cpu", page: 65536) == UInt64(61 * 65536))
        #expect(bytes("percpu: Embedded 61") == nil)
        #expect(bytes("percpu: Page 61 pages/cpu") == nil && bytes("cpu: Embedded 61 pages/cpu") == nil)
        #expect(bytes("percpu: Embedded 61 bytes/cpu") == nil)
        #expect(bytes("percpu: Embedded 1048575 pages/cpu") == UInt64(1_048_575 * 4096))
        #expect(bytes("percpu: Embedded 1048576 pages/cpu") == nil)
    }

    @Test("CPUs: ranges and single ones, up to 65535")
    func cpus() {
        #expect(bytes("percpu: Embedded 1 pages/cpu", "0-65535") == UInt64(65536 * 4096))
        #expect(bytes("percpu: Embedded 1 pages/cpu", "0-65536") == nil)
        #expect(bytes("percpu: Embedded 1 pages/cpu", "3-3") == 4096)
        #expect(bytes("percpu: Embedded 1 pages/cpu", "0,2-3,9") == UInt64(4 * 4096))
        #expect(
            bytes("percpu: Embedded 1 pages/cpu", "0-1-2") == nil && bytes("percpu: Embedded 1 pages/cpu", "") == nil)
    }
}
