// SPDX-License-Identifier: Apache-2.0
import Glibc
import LibBPF
import Synchronization
import Testing

@Suite(.serialized) struct BPFErrors {
    @Test("an error is one line: what was done, and why it failed")
    func description() {
        #expect(
            BPFError(operation: "load program x", code: EPERM).description == "load program x: Operation not permitted")
        #expect(BPFError(operation: "map x is of another kind", code: 0).description == "map x is of another kind")
        #expect(BPFError(operation: "x", code: 524).reason.contains("ENOTSUPP"))
    }

    @Test(
        "what would help is a value",
        arguments: [
            (EPERM, nil, BPFError.Remedy.needsPrivilege), (EMFILE, "p", .raiseOpenFileLimit),
            (EACCES, "p", .needsPrivilege),
            (ENOMEM, nil, .raiseLockedMemoryLimit), (E2BIG, "p", .verifierGaveUp), (ENOSPC, "p", .verifierGaveUp),
            (E2BIG, nil, nil), (ENOSPC, nil, nil), (ENOENT, "p", .missingOnThisKernel),
            (ESRCH, nil, .missingOnThisKernel),
            (ESRCH, "p", nil), (EINVAL, nil, nil), (0, nil, nil),
        ] as [(Int32, String?, BPFError.Remedy?)])
    func remedies(code: Int32, program: String?, remedy: BPFError.Remedy?) {
        #expect(BPFError(operation: "x", code: code, program: program).remedy == remedy)
    }

    @Test("a map that could not be made is to be smaller; one that is full is not said to be")
    func largeMap() {
        let made = BPFError(operation: "load", code: E2BIG, log: ["libbpf: map 'blocks': failed to create"])
        #expect(made.remedy == .smallerMap)
        #expect(BPFError(operation: "update", code: E2BIG).remedy == nil)
    }

    /// What libbpf says of an image that is none, called by this name.
    private static func words(_ name: String) -> [String] {
        let garbage = [UInt8](repeating: 0xff, count: 4096)
        do throws(BPFError) {
            _ = try OpenObject(image: garbage.span.bytes, name: name)
            return []
        } catch {
            return error.log
        }
    }

    @Test("an error has libbpf's words on its own call, and those alone")
    func log() throws {
        let first = Self.words("first"), second = Self.words("second")
        #expect(first.contains { $0.contains("first") })
        #expect(second.contains { $0.contains("second") })
        #expect(!second.contains { $0.contains("first") })
        // an error of a system call, about which libbpf says nothing
        do throws(BPFError) {
            _ = try BPFMap<UInt32, UInt64>.pinned(at: "/nowhere/at/all")
        } catch {
            #expect(error.log.isEmpty)
            #expect(error.code == ENOENT)
        }
    }

    @Test("threads that fail at once keep their words apart")
    func threads() async {
        await withTaskGroup { group in
            for number in 0..<8 {
                group.addTask {
                    (0..<50).allSatisfy { round in
                        let own = "thread\(number)round\(round)."
                        let words = Self.words(own)
                        return !words.isEmpty && words.allSatisfy { !$0.contains("thread") || $0.contains(own) }
                    }
                }
            }
            for await apart in group { #expect(apart) }
        }
    }

    @Test("a handler hears libbpf, and silence is the default")
    func handler() {
        final class Ear: Sendable { let lines = Mutex<[(LibbpfLog.Level, String)]>([]) }
        let ear = Ear()
        _ = Self.words("unheard")
        LibbpfLog.route { level, text in ear.lines.withLock { $0.append((level, text)) } }
        _ = Self.words("heard")
        _ = try? TestImage.openLibrary()
        LibbpfLog.route(to: nil)
        let count = ear.lines.withLock(\.count)
        _ = Self.words("after")
        let lines = ear.lines.withLock { $0 }
        #expect(lines.count == count)
        #expect(lines.contains { $0.0 == .warning && $0.1.contains("heard") })
        #expect(lines.contains { $0.0 == .debug })
        #expect(!lines.contains { $0.1.contains("unheard") || $0.1.contains("after") || $0.1.hasSuffix("\n") })
    }
}
