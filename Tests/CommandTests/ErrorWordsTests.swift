// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import LibBPF
import Probes
import Symbols
import SystemLayer
import SystemPackage
import Testing

@testable import swiftmem

@Suite struct ErrorWordsTests {
    @Test("every library's error has an exit status and one line")
    func mapping() throws {
        let file = FileError(operation: "open", path: "/a/b", code: .noSuchFileOrDirectory)
        let cases: [(any Error, Int32, String)] = [
            (Failure.usage("no"), 64, "no"),
            (BPFError(operation: "load x", code: EPERM), 77, "load x: Operation not permitted"),
            (BPFError(operation: "load x", code: EINVAL), 71, "load x: Invalid argument"),
            (ProbeError.refused(BPFError(operation: "attach x", code: EACCES)), 77, "attach x: Permission denied"),
            (SymbolError.system(operation: "open", path: "/x", errno: EACCES), 77, "open /x: Permission denied"),
            (SymbolError.system(operation: "open", path: "/x", errno: EIO), 71, "open /x: Input/output error"),
            (SymbolError.tooLarge(path: "/x", limitBytes: 7), 69, "/x: longer than 7 bytes"),
            (file, 71, "open /a/b: No such file or directory"),
            (Errno.permissionDenied, 77, "Permission denied"),
        ]
        for (error, status, message) in cases {
            let failure = try #require(Failure(explaining: error))
            #expect(failure.status == status, "\(error)")
            #expect(failure.message == message)
        }
    }

    @Test("what the argument parser throws is left to it")
    func parser() {
        #expect(Failure(explaining: ValidationError("no")) == nil)
        #expect(Failure(explaining: ExitCode(69)) == nil)
    }

    @Test("a path of another user's can't steer the terminal")
    func hostilePath() throws {
        let path = "/tmp/\u{1b}[2J\nx"
        let errors: [any Error] = [
            FileError(operation: "open", path: FilePath(path), code: .ioError),
            SymbolError.malformedELF(path: path, reason: "no ELF header"),
        ]
        for error in errors {
            let message = try #require(Failure(explaining: error)).message
            #expect(message.unicodeScalars.allSatisfy { $0.value >= 0x20 })
            #expect(message.contains("/tmp/"))
        }
    }

    @Test("each thing that would help has words, and a refusal has them")
    func remedies() {
        let helped: [(Int32, String?, [String], BPFError.Remedy)] = [
            (EPERM, nil, [], .needsPrivilege), (ENOMEM, nil, [], .raiseLockedMemoryLimit),
            (EMFILE, "x", [], .raiseOpenFileLimit), (E2BIG, nil, ["failed to create"], .smallerMap),
            (E2BIG, "x", [], .verifierGaveUp), (ENOENT, nil, [], .missingOnThisKernel),
        ]
        #expect(Set(helped.map(\.3)) == Set(BPFError.Remedy.allCases))
        for (code, program, log, remedy) in helped {
            let error = BPFError(operation: "load", code: code, log: log, program: program)
            #expect(error.remedy == remedy)
            #expect(Failure(error).remedy?.isEmpty == false)
        }
        #expect(Failure(BPFError(operation: "load", code: EINVAL)).remedy == nil)
    }

    @Test("a process that can't be read is gone, another user's, or said as it is")
    func process() {
        func failure(_ code: Int32) -> Failure {
            Failure(SymbolError.system(operation: "open", path: "/proc/7/maps", errno: code), ofProcess: 7)
        }
        #expect(failure(ESRCH) == .badValue("no process has the id 7"))
        #expect(failure(ENOENT) == .badValue("no process has the id 7"))
        #expect(failure(EPERM) == Failure(mayNotLookAt: 7))
        #expect(failure(EACCES).status == 77)
        #expect(failure(EIO).status == 71)
        #expect(failure(EIO).message == "process 7: open /proc/7/maps: Input/output error")
    }
}

@Suite struct EnvironmentTests {
    @Test("each variable of this program has a name of its own, and says whose it is")
    func names() {
        let names = Environment.Variable.allCases.map(\.rawValue)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.hasPrefix("SWIFTMEM_") })
    }
}
