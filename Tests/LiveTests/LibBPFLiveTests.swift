// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibBPF
import Probes
import TestObjects
import Testing

/// struct ringtest_config of Tests/TestObjects/ringtest.bpf.c.
private struct FloodConfig {
    var pid: UInt32
    var syscall: UInt32
}

private struct FloodEvent {
    var number: UInt64
    var time: UInt64
}

/// asm/unistd_64.h and asm-generic/unistd.h
#if arch(x86_64)
    private let getppidNumber: UInt32 = 110
#else
    private let getppidNumber: UInt32 = 173
#endif

extension LiveTests {
    @Suite(.serialized) struct Library {
        static var image: UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(start: ringtest_image(), count: ringtest_size())
        }

        private enum Flood: String, Ladder {
            case refused, raw
            static let id = "flood"
            static let sees = "calls"

            var rung: Rung {
                switch self {
                case .refused: Rung(.tracepoint, on: .all, programs: ["no_verifier"])
                case .raw: Rung(.tracepoint, on: .all, programs: ["flood"])
                }
            }
        }

        private func flooded() throws -> AttachedProbes {
            let probes = ProbeSet(tool: "ringtest", ladders: [Flood.self])
            return try AttachedProbes.attach(
                probes, image: Self.image, oracle: RunningKernel(),
                configure: { (object, _) throws(BPFError) in
                    try object.setReadOnlyData(
                        ".rodata.config",
                        to: FloodConfig(pid: UInt32(getpid()), syscall: getppidNumber))
                })
        }

        @Test("a rung that the verifier refuses is passed over, with its words kept")
        func fallThrough() throws {
            let attached = try flooded()
            let choice = try #require(attached.resolution.choices.first)
            #expect(attached.resolution[Flood.self] == .raw)
            #expect(choice.passedOver.map(\.rung) == ["refused"])
            #expect(choice.passedOver.first?.reason.hasPrefix("load program no_verifier: ") == true)
        }

        @Test("the error of a refused program carries the verifier's last words")
        func verifierWords() throws {
            let object = try OpenObject(image: Self.image.bytes, name: "ringtest")
            try object.autoload(only: ["no_verifier"])
            do throws(BPFError) {
                _ = try object.load()
                Issue.record("loaded")
            } catch {
                #expect(error.program == "no_verifier")
                #expect(error.code == EACCES || error.code == EINVAL)
                #expect(error.log.contains { $0.contains("map_value_or_null") })
            }
        }

        @Test("a full ring loses, counts, and goes on: 200 000 events and no reader")
        func fullRing() throws {
            let attached = try flooded()
            var ring = try attached.object.ringBuffer("events")
            let losses: PerCPUMap<UInt32, UInt64> = try attached.object.perCPUMap("losses")
            let total = 200_000
            let begin = Date()
            for _ in 0..<total { _ = getppid() }
            let rate = Double(total) / Date().timeIntervalSince(begin)
            #expect(rate > 50_000, "\(Int(rate)) events/s")
            var received = 0
            var last: UInt64?
            try ring.consume { span in
                guard let event = span.record(FloodEvent.self) else { return }
                if let last { #expect(event.number > last) }
                last = event.number
                received += 1
            }
            // 64 KiB of ring, 24 bytes an event
            #expect(received > 2500 && received < 2800)
            #expect(try losses.sum(for: 0) == UInt64(total - received))
            // and it works again
            for _ in 0..<10 { _ = getppid() }
            var after = 0
            try ring.consume { _ in after += 1 }
            #expect(after == 10)
        }

        @Test("records too short for a type are none")
        func shortRecords() throws {
            let bytes: [UInt8] = [1, 2, 3]
            #expect(bytes.span.bytes.record(FloodEvent.self) == nil)
            #expect(bytes.span.bytes.record(UInt8.self) == 1)
        }

        @Test("a map is walked whole, in batches, and drained without loss")
        func maps() throws {
            let attached = try flooded()
            let numbers: BPFMap<UInt32, UInt64> = try attached.object.map("numbers")
            for key in 0..<UInt32(3000) { try numbers.set(key, to: UInt64(key) * 3) }
            #expect(try numbers.value(for: 7) == 21)
            #expect(try numbers.value(for: 5000) == nil)
            #expect(try !numbers.set(7, to: 1, where: .noExist))
            #expect(try numbers.value(for: 7) == 21)
            var seen: [UInt32: UInt64] = [:]
            try numbers.forEach { seen[$0] = $1 }
            #expect(seen.count == 3000)
            #expect(seen.allSatisfy { $0.value == UInt64($0.key) * 3 })
            #expect(try numbers.remove(7))
            #expect(try !numbers.remove(7))
            var drained = 0
            try numbers.drain { _, _ in drained += 1 }
            #expect(drained == 2999)
            var left = 0
            try numbers.forEach { _, _ in left += 1 }
            #expect(left == 0)
        }

        @Test("per-CPU values come one a possible CPU")
        func perCPU() throws {
            let attached = try flooded()
            let calls: PerCPUMap<UInt32, UInt64> = try attached.object.perCPUMap("calls")
            for _ in 0..<1000 { _ = getppid() }
            #expect(try calls.values(for: 0)?.count == possibleCPUs)
            #expect(try calls.sum(for: 0) == 1000)
            #expect(try calls.values(for: 1) == nil)
        }

        @Test("a map asked for with a wrong type is refused")
        func wrongType() throws {
            let attached = try flooded()
            #expect(throws: BPFError.self) {
                let _: BPFMap<UInt64, UInt64> = try attached.object.map("numbers")
            }
        }

        @Test("letting go of it detaches and unloads")
        func detach() throws {
            func descriptors() throws -> Int {
                try Tool.shell("ls -l /proc/\(getpid())/fd | grep -c 'anon_inode:bpf' || true").lines.first.flatMap(
                    Int.init) ?? 0
            }
            let before = try descriptors()
            do {
                let attached = try flooded()
                #expect(attached.resolution.programs == ["flood"])
                #expect(try descriptors() > before)
            }
            #expect(try descriptors() == before)
        }

        @Test("the kernel's types are read: functions, tracepoints, arguments")
        func types() throws {
            let btf = try KernelBTF()
            // #expect can't take a noncopyable apart
            let ids = [btf.functionID("vfs_read"), btf.functionID("no_such_function_here")]
            let exec = btf.tracepointArguments("sched_process_exec")
            let read = btf.functionArguments("vfs_read")
            let returns = ["vfs_read", "__free_pages"].map { btf.returnsValue($0) }
            #expect(ids[0] != nil)
            #expect(ids[1] == nil)
            #expect(exec?.first == "task_struct *")
            #expect(read == ["file *", "char *", "size_t", "loff_t *"])
            #expect(returns == [true, false])
            #expect(throws: BPFError.self) { _ = try KernelBTF(path: "/dev/null") }
        }
    }
}
