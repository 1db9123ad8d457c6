// SPDX-License-Identifier: Apache-2.0
import Foundation
import Reports
import Testing

@testable import swiftmem

/// The recorder's file on a disk.
@Suite struct RingFileTests {
    /// A directory that is gone with it.
    private final class Store {
        let path = "\(NSTemporaryDirectory())/ring-\(UInt32.random(in: 0 ... .max))"
        var file: String { "\(path)/oomkill.ring" }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private func frame(_ number: Int, bytes: Int = 8) -> OOMFrame {
        let moment = OOMMoment(time: WallTime(nanoseconds: Int64(number)), boot: 1, nanoseconds: UInt64(number))
        return .kill(moment, [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: bytes))
    }

    private func write(_ numbers: Range<Int>, bytes: Int = 8, _ store: Store, keepAt: Int? = nil) throws {
        var file = try RingFile(in: store.path)
        for number in numbers {
            try file.write(frame(number, bytes: bytes))
            if number == keepAt { try file.keep() }
        }
    }

    @Test("all of its blocks are there from the start; a second run goes on behind the first")
    func goesOn() throws {
        let store = Store()
        try write(0..<3, store)
        var status = stat()
        #expect(stat(store.file, &status) == 0 && status.st_size == RingFile.size)
        #expect(Int(status.st_blocks) * 512 >= RingFile.size)
        try write(3..<5, store)
        #expect(try RingFile.read(store.path) == (0..<5).map { frame($0) })
    }

    @Test("what was kept stays when the ring has been overwritten, over restarts too; the order is that of writing")
    func keeps() throws {
        let store = Store()
        let large = 100_000
        try write(0..<150, bytes: large, store, keepAt: 140)
        // the ring holds 251 of them
        try write(150..<500, bytes: large, store)
        let found = try RingFile.read(store.path)
        // the last 130 before it
        let kept = (11...140).map { frame($0, bytes: large) }
        #expect(Array(found.prefix(130)) == kept)
        #expect(Array(found.dropFirst(130)) == (249..<500).map { frame($0, bytes: large) })
    }

    @Test("a file that is cut short is filled up again, and what is whole in it stays; what is none is not touched")
    func cut() throws {
        let store = Store()
        try write(0..<9, bytes: 1000, store)
        #expect(truncate(store.file, 4096 + 5 * 1056 + 20) == 0)
        #expect(try RingFile.read(store.path).count == 5)
        try write(20..<21, store)
        #expect(try RingFile.read(store.path) == (0..<5).map { frame($0, bytes: 1000) } + [frame(20)])
    }
}
