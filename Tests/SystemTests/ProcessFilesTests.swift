// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import Testing

@testable import SystemLayer

@Suite struct ProcessFilesTests {
    private let own = ProcessFiles(getpid())

    @Test("this process, by its files")
    func live() throws {
        let stat = try #require(own.stat)
        #expect(stat.comm == own.comm.map { Array($0.utf8) })
        #expect(stat.isAlive)
        #expect(stat.startTicks > 0)
        #expect(own.exists)
        #expect(own.status?.words("Tgid") == ["\(getpid())"])
        #expect(own.status?.words("VmSize")?.count == 2)
        #expect(own.commandLine?.last == 0)
        #expect(own.namespace("ipc") == ProcessFiles.own.namespace("ipc"))
        #expect(own.namespace("ipc") != own.namespace("pid"))
        #expect(own.maps?.contains("[stack]") == true)
        #expect(
            own.auxiliaryVector.first { $0.type == UInt64(AT_PAGESZ) }?.value == UInt64(sysconf(Int32(_SC_PAGESIZE))))
        #expect(own.executable == readLink("/proc/self/exe") && own.executable != nil)
        #expect(!own.is32Bit)
        #expect(ProcFS.processIDs().contains(UInt32(getpid())))
        #expect(try #require(ProcFS.bootTime()) > 1_000_000_000)
    }

    @Test("a process that is not there has nothing")
    func gone() {
        // above the largest id that a kernel gives (PID_MAX_LIMIT)
        let gone = ProcessFiles(4_194_305)
        #expect(!gone.exists)
        #expect(gone.stat == nil)
        #expect(gone.status == nil)
        #expect(gone.comm == nil)
        #expect(gone.commandLine == nil)
        #expect(gone.maps == nil)
        #expect(gone.namespace("ipc") == nil)
        #expect(gone.auxiliaryVector.isEmpty)
        #expect(gone.executable == nil && !gone.is32Bit && readLink("/proc/self") != nil && readLink("/proc") == nil)
        #expect(ProcFS.text("no/such/file") == "")
    }

    @Test("lines of status")
    func status() {
        let status = ProcessStatus("Name:\ta\\nTgid:\t9\nTgid:\t7\nNSpid:\t7\t1\nVmSize:\t  12 kB\nSeccomp:\n")
        #expect(status.words("Tgid") == ["7"])
        #expect(status.words("NSpid") == ["7", "1"])
        #expect(status.words("VmSize") == ["12", "kB"])
        #expect(status.words("Seccomp") == [])
        #expect(status.words("VmRSS") == nil)
        #expect(ProcessStatus("").words("Tgid") == nil)
    }

    @Test("an auxiliary vector that is cut ends with the last whole pair")
    func auxiliaryVector() {
        let words: [UInt64] = [6, 4096, 9, 0x1000, 0, 0]
        let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        func read(_ count: Int) -> [UInt64] {
            AuxiliaryVector.entries(Array(bytes.prefix(count))).flatMap { [$0.type, $0.value] }
        }
        #expect(read(48) == [6, 4096, 9, 0x1000])
        #expect(read(31) == [6, 4096])
        #expect(read(15) == [])
        #expect(read(0) == [])
    }
}
