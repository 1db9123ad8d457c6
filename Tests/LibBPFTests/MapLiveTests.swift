// SPDX-License-Identifier: Apache-2.0
import Glibc
import LibBPF
import Testing

extension LibBPFLiveTests {
    @Suite(.serialized) struct Maps {
        @Test("a map is walked whole, in batches, and drained without loss")
        func walk() throws {
            let attached = try Attached.flood()
            let numbers: BPFMap<UInt32, UInt64> = try attached.object.map("numbers")
            for key in 0..<UInt32(3000) { try numbers.set(key, to: UInt64(key) * 3) }
            #expect(try numbers.value(for: 7) == 21)
            #expect(try numbers.value(for: 5000) == nil)
            var seen: [UInt32: UInt64] = [:]
            try numbers.forEach { seen[$0] = $1 }
            #expect(seen.count == 3000)
            #expect(seen.allSatisfy { $0.value == UInt64($0.key) * 3 })
            #expect(try numbers.remove(7))
            #expect(try !numbers.remove(7))
            #expect(try Set(numbers.keys()) == Set(0..<3000).subtracting([7]))
            var drained = 0
            try numbers.drain { _, _ in drained += 1 }
            #expect(drained == 2999)
            var left = 0
            try numbers.forEach { _, _ in left += 1 }
            #expect(left == 0)
            #expect(try numbers.keys() == [])
        }

        @Test("a value is set always, or where there is none, or where there is one")
        func conditions() throws {
            let map = try BPFMap<UInt32, UInt64>.create(.hash, name: "test", maxEntries: 2)
            #expect(try !map.set(1, to: 10, where: .exist))
            #expect(try map.set(1, to: 11, where: .noExist))
            #expect(try !map.set(1, to: 12, where: .noExist))
            #expect(try map.value(for: 1) == 11)
            #expect(try map.set(1, to: 13, where: .exist))
            #expect(try map.set(1, to: 14))
            #expect(try map.value(for: 1) == 14)
            try map.set(2, to: 0)
            do throws(BPFError) {
                try map.set(3, to: 0)
                Issue.record("a map of two took three")
            } catch {
                #expect(error.description == "update map test: Argument list too long")
            }
        }

        @Test("per-CPU values come one a possible CPU")
        func perCPU() throws {
            let attached = try Attached.flood()
            let calls: PerCPUMap<UInt32, UInt64> = try attached.object.perCPUMap("calls")
            for _ in 0..<1000 { _ = getppid() }
            #expect(try calls.values(for: 0)?.count == possibleCPUs)
            #expect(try calls.sum(for: 0) == 1000)
            #expect(try calls.values(for: 1) == nil)
            #expect(try calls.keys() == [0])
        }

        @Test("a map asked for with a wrong type, or as one of another kind, is refused")
        func wrongType() throws {
            let attached = try Attached.flood()
            #expect(throws: BPFError.self) { let _: BPFMap<UInt64, UInt64> = try attached.object.map("numbers") }
            #expect(throws: BPFError.self) { let _: BPFMap<UInt32, UInt32> = try attached.object.map("numbers") }
            // the kernel would write a value for every CPU where there is room for one
            #expect(throws: BPFError.self) { let _: BPFMap<UInt32, UInt64> = try attached.object.map("calls") }
            #expect(throws: BPFError.self) {
                let _: PerCPUMap<UInt32, UInt64> = try attached.object.perCPUMap("numbers")
            }
            #expect(throws: BPFError.self) { _ = try attached.object.mapOfMaps("numbers") }
            #expect(throws: BPFError.self) { _ = try attached.object.ringBuffer("numbers") }
            #expect(throws: BPFError.self) { let _: BPFMap<UInt32, UInt64> = try attached.object.map("no map") }
        }

        @Test("a map and a program outlive the object they came from")
        func lifetime() throws {
            func parts() throws(BPFError) -> (BPFMap<UInt32, UInt64>, Program) {
                let object = try loadedLibrary()
                return (try object.map("shared"), try object.program("look"))
            }
            let (map, program) = try parts()
            try map.set(5, to: 55)
            #expect(try map.value(for: 5) == 55)
            let link = try program.attach()
            _ = getppid()
            #expect(try map.value(for: 0) ?? 0 > 0)
            _ = link.descriptor
        }

        @Test("a map of maps keeps arrays of sizes of their own")
        func mapOfMaps() throws {
            let object = try loadedLibrary()
            let tables = try object.mapOfMaps("tables")
            let shared: BPFMap<UInt32, UInt64> = try object.map("shared")
            func fill(_ values: [[UInt64]], from first: UInt32) throws(BPFError) {
                var maps: [(place: UInt32, map: BPFMap<UInt32, UInt64>)] = []
                for values in values {
                    let array = try BPFMap<UInt32, UInt64>.create(
                        .array, name: "inner", maxEntries: values.count, options: .innerMap)
                    try array.fill(with: values.span.bytes)
                    maps.append((first + UInt32(maps.count), array))
                }
                try tables.set(maps)
            }
            try fill([[1], [10, 20, 30, 40]], from: 0)
            let link = try object.program("look").attach()
            _ = getppid()
            #expect(try shared.value(for: 1) == 30)
            try tables.set(
                1, to: BPFMap<UInt32, UInt64>.create(.array, name: "none", maxEntries: 3, options: .innerMap))
            _ = getppid()
            #expect(try shared.value(for: 1) == 0)
            #expect(throws: BPFError.self) { try fill([[1]], from: 4) }
            let array = try BPFMap<UInt32, UInt64>.create(.array, name: "small", maxEntries: 1)
            #expect(throws: BPFError.self) { try array.fill(with: [UInt64(1), 2].span.bytes) }
            #expect(throws: BPFError.self) { try array.fill(with: [UInt8(1)].span.bytes) }
            _ = link.descriptor
        }

        @Test("maps are made by themselves, of every kind")
        func creation() throws {
            let recent = try BPFMap<UInt32, UInt64>.create(.lruHash, name: "recent", maxEntries: 64)
            for key in 0..<UInt32(1000) { try recent.set(key, to: 1) }
            #expect(try recent.keys().count <= 64)
            let lazy = try BPFMap<UInt64, UInt8>.create(.hash, name: "lazy", maxEntries: 9, options: .noPreallocation)
            try lazy.set(1 << 40, to: 7)
            #expect(try lazy.value(for: 1 << 40) == 7)
            let sums = try PerCPUMap<UInt32, UInt32>.create(.array, name: "sums", maxEntries: 2)
            #expect(try sums.sum(for: 1) == 0)
            #expect(try PerCPUMap<UInt16, UInt32>.create(.hash, name: "rows", maxEntries: 2).values(for: 1) == nil)
            #expect(throws: BPFError.self) { try BPFMap<UInt64, UInt64>.create(.array, name: "wide", maxEntries: 1) }
        }

        @Test("a pinned map is opened by its path, and an object can use it for its own")
        func pinning() throws {
            let files = try BPFFileSystem()
            let path = "\(files.path)/shared"
            do {
                let made = try BPFMap<UInt32, UInt64>.create(.hash, name: "shared", maxEntries: 16)
                try made.set(9, to: 99)
                try made.pin(at: path)
                #expect(throws: BPFError.self) { try made.pin(at: path) }
            }
            let pinned = try BPFMap<UInt32, UInt64>.pinned(at: path)
            #expect(pinned.name == "shared")
            #expect(try pinned.value(for: 9) == 99)
            #expect(throws: BPFError.self) { try BPFMap<UInt64, UInt64>.pinned(at: path) }
            #expect(throws: BPFError.self) { try PerCPUMap<UInt32, UInt64>.pinned(at: path) }
            #expect(throws: BPFError.self) { try BPFMap<UInt32, UInt64>.pinned(at: path + "no") }

            let object = try TestImage.openLibrary()
            try object.autoload(only: ["look"])
            try object.map("shared").reuse(pinned)
            let loaded = try object.load()
            let link = try loaded.program("look").attach()
            _ = getppid()
            #expect(try pinned.value(for: 0) ?? 0 > 0)
            _ = link.descriptor
        }
    }
}
