// SPDX-License-Identifier: Apache-2.0
import Foundation
import LibBPF
import Testing

/// Linux's version as `uname -r` begins.
let kernel: (Int, Int) = {
    let version = ProcessInfo.processInfo.operatingSystemVersion
    return (version.majorVersion, version.minorVersion)
}()

extension LibBPFLiveTests {
    @Suite(.serialized) struct Programs {
        @Test("the error of a refused program carries the verifier's last words")
        func verifierWords() throws {
            let object = try OpenObject(image: TestImage.ringtest.bytes, name: "ringtest")
            try object.autoload(only: ["no_verifier"])
            do throws(BPFError) {
                _ = try object.load()
                Issue.record("loaded")
            } catch {
                #expect(error.program == "no_verifier")
                #expect(error.operation == "load program no_verifier")
                #expect(error.code == EACCES || error.code == EINVAL)
                #expect(error.log.contains { $0.contains("map_value_or_null") })
            }
        }

        @Test("an object is loaded after its image is gone")
        func imageGone() throws {
            var image = Array(TestImage.library)
            let object = try OpenObject(image: image.span.bytes, name: "library")
            for index in image.indices { image[index] = 0xa5 }
            try object.autoload(only: ["packet"])
            let loaded = try object.load()
            #expect(try loaded.program("packet").testRun(data: [UInt8](repeating: 1, count: 14)).result == 14)
        }

        @Test("a program that was left out can't be had")
        func leftOut() throws {
            let object = try loadedLibrary(["packet"])
            #expect(try object.program("packet").name == "packet")
            #expect(throws: BPFError.self) { _ = try object.program("look") }
            #expect(throws: BPFError.self) { _ = try object.program("nothing") }
        }

        @Test("a loaded object refuses to be set up")
        func tooLate() throws {
            let object = try TestImage.openLibrary()
            try object.autoload(only: ["packet"])
            let (program, map) = (try object.program("packet"), try object.map("shared"))
            let loaded = try object.load()
            #expect(throws: BPFError.self) { try program.setAutoload(false) }
            #expect(throws: BPFError.self) { try map.setMaxEntries(1) }
            #expect(try loaded.program("packet").name == "packet")
        }

        @Test("a program runs with made-up input")
        func testRun() throws {
            let object = try loadedLibrary()
            let packet = try object.program("packet")
            let run = try packet.testRun(data: [3, 4] + [UInt8](repeating: 9, count: 62), times: 10)
            #expect(run.result == 64)
            #expect(run.output == [7, 4] + [UInt8](repeating: 9, count: 62) || run.output.first == 3 + 10 * 4)
            #expect(run.output.count == 64)
            // more than a packet can be
            #expect(throws: BPFError.self) { try packet.testRun(data: [UInt8](repeating: 0, count: 1 << 24)) }
            let look = try object.program("look")
            let shared: BPFMap<UInt32, UInt64> = try object.map("shared")
            #expect(try look.testRun(context: [UInt8](repeating: 0, count: 16)).result == 0)
            #expect(try shared.value(for: 0) == 1)
        }

        @Test("the kernel tells about a program, and the verifier how much work it was")
        func info() throws {
            let open = try TestImage.openLibrary()
            try open.autoload(only: ["look", "packet"])
            try open.measureVerifier()
            let object = try open.load()
            let look = try object.program("look")
            let before = try look.info()
            #expect(before.id != 0)
            #expect(before.tag != 0)
            #expect(try object.program("packet").info().tag != before.tag)
            #expect(look.verifiedInstructions ?? 0 > 10)
            let after = try {
                let statistics = try RunTimeStatistics(), link = try look.attach()
                for _ in 0..<100 { _ = getppid() }
                defer { withExtendedLifetime(statistics) {} }
                _ = link.descriptor
                return try look.info()
            }()
            #expect(after.runs >= before.runs + 100)
            #expect(after.runTimeNanoseconds > before.runTimeNanoseconds)
            #expect(after.skippedRuns == 0)
        }

        @Test("nobody asked the verifier: it said nothing")
        func notMeasured() throws {
            #expect(try loadedLibrary().program("look").verifiedInstructions == nil)
        }

        @Test("an iterator visits every task")
        func iterator() throws {
            let output = try loadedLibrary().program("tasks").runIterator()
            #expect(output.count > 1)
            #expect(output.allSatisfy { $0 == UInt8(ascii: "t") })
        }

        @Test("a program of no hook can't be attached, nor run as an iterator")
        func noHook() throws {
            let packet = try loadedLibrary().program("packet")
            do throws(BPFError) {
                _ = try packet.attach()
                Issue.record("attached")
            } catch {
                #expect(error.program == "packet")
            }
            #expect(throws: BPFError.self) { try packet.runIterator() }
        }

        @Test("places in a file are told apart by their cookies", .enabled(if: kernel >= (5, 15)))
        func uprobes() throws {
            let object = try loadedLibrary(["places"])
            let places = try object.program("places")
            let shared: BPFMap<UInt32, UInt64> = try object.map("shared")
            let options = UprobeOptions(path: "libc.so.6", at: .symbol("getppid"), pid: getpid(), cookie: 21)
            let entry = try places.attach(uprobe: options)
            var returning = options
            returning.onReturn = true
            returning.cookie = 22
            let exit = try places.attach(uprobe: returning)
            for _ in 0..<5 { _ = getppid() }
            #expect(try shared.value(for: 21) == 5)
            #expect(try shared.value(for: 22) == 5)
            #expect(try entry.info().programID == places.info().id)
            #expect(try exit.info().id != entry.info().id)
        }

        @Test("a place that is none is an error with the place's name", .enabled(if: kernel >= (5, 15)))
        func noPlace() throws {
            let places = try loadedLibrary(["places"]).program("places")
            for options in [
                UprobeOptions(path: "libc.so.6", at: .symbol("no_such_function")),
                UprobeOptions(path: "/nowhere/at/all", at: .offset(0)),
            ] {
                do throws(BPFError) {
                    _ = try places.attach(uprobe: options)
                    Issue.record("attached")
                } catch {
                    #expect(error.operation.hasPrefix("attach places to \(options.path)"))
                }
            }
            #expect(throws: BPFError.self) {
                _ = try places.attach(multiUprobe: MultiUprobeOptions(.entry, path: "/proc/self/exe", offsets: []))
            }
            #expect(throws: BPFError.self) {
                _ = try places.attach(
                    multiUprobe: MultiUprobeOptions(.entry, path: "/proc/self/exe", offsets: [1, 2], cookies: [1]))
            }
        }
    }
}
