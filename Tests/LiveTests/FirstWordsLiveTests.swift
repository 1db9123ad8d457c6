// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
    /// What a newcomer meets first, of the command as it is run.
    @Suite(.serialized) struct FirstWordsRun {
        @Test("doctor's first line is the verdict, all fits a screen, and the details are asked for")
        func doctor() throws {
            let brief = try Tool.run(["doctor"])
            let first = try #require(brief.lines.first)
            #expect(first.hasSuffix(" tools work on this kernel.") == (brief.status == 0))
            #expect(first.hasSuffix(".") && !brief.output.contains("\u{1b}"))
            #expect(brief.lines.count <= 24 && brief.lines.allSatisfy { $0.count <= 80 })
            #expect(brief.lines.last == "Each hook, and why not another: swiftmem doctor --all")
            let all = try Tool.run(["doctor", "--all"])
            #expect(all.lines.first == first && all.status == brief.status)
            #expect(all.lines.count > brief.lines.count && all.lines.contains("Features"))
        }

        @Test("doctor without rights, and on a kernel that refuses everything")
        func doctorRefused() throws {
            let poor = try Tool.shell(
                "setpriv --reuid 65534 --clear-groups --inh-caps=-all --bounding-set=-all $SWIFTMEM doctor")
            #expect(poor.status == 77)
            #expect(poor.lines.first == "What works here can't be told: CAP_BPF and CAP_PERFMON are missing.")
            let bare = try Tool.shell("SWIFTMEM_KERNEL=bare $SWIFTMEM doctor cachestat")
            #expect(bare.status == 69)
            #expect(bare.lines.first == "cachestat does not work on this kernel.")
        }

        @Test("colour on a terminal alone, and not where NO_COLOR is set")
        func colour() throws {
            func firstLine(_ environment: String) throws -> String {
                let run =
                    "script -qec '\(environment) TERM=xterm '$SWIFTMEM' doctor cachestat' /dev/null </dev/null | head -n 1"
                return try Tool.shell(run).output
            }
            #expect(try firstLine("env -u NO_COLOR").contains("\u{1b}[3"))
            #expect(try !firstLine("NO_COLOR=1").contains("\u{1b}"))
        }

        @Test("help that can't be written ends with 74, and one that nobody reads to its end with 0")
        func helpUnwritten() throws {
            for words in ["--help", "--version", "memleak --help", "help doctor"] {
                let full = try Tool.shell("$SWIFTMEM \(words) >/dev/full")
                #expect(full.status == 74, "\(words)")
                #expect(full.errors == "swiftmem: can't write the help: No space left on device\n")
            }
            let closed = try Tool.shell("{ $SWIFTMEM memleak --help; echo $? >&2; } | true")
            #expect(closed.errors == "0\n")
        }

        @Test("without /proc no call is taken for one for help")
        func noProc() throws {
            let run = try Tool.shell(
                "unshare --mount sh -c 'mount -t tmpfs none /proc && exec '$SWIFTMEM' cachestat 1 1'")
            #expect(run.status == 71 && run.output.isEmpty)
            #expect(
                run.errors
                    == "swiftmem: /proc is not mounted here, and nothing can be told without it\n  mount it: mount -t proc proc /proc\n"
            )
        }

        @Test("help ends with examples", arguments: ["--help", "cachestat --help", "help memleak", "doctor -h"])
        func examples(words: String) throws {
            let help = try Tool.shell("$SWIFTMEM \(words)")
            #expect(help.status == 0)
            let start = try #require(help.lines.firstIndex(of: "EXAMPLES:"))
            #expect(help.lines[start...].count { $0.hasPrefix("  swiftmem ") } >= 3)
        }

        @Test("a mistyped tool or option: one line, the way out, 64")
        func mistyped() throws {
            let tool = try Tool.run(["cachestats"])
            #expect(tool.status == 64)
            #expect(tool.errors == "swiftmem: no tool is called cachestats; did you mean cachestat?\n")
            let option = try Tool.run(["cachestat", "--time"])
            #expect(option.status == 64)
            #expect(
                option.errors.hasPrefix(
                    "swiftmem: cachestat has no option --time\n  did you mean --timestamp?\nUsage: swiftmem cachestat"))
        }

        @Test(
            "bcc's -O without a process is taken, with a note that it changes nothing",
            .exercises("memleak", mode: "kernel"))
        func objectOfKernel() throws {
            let run = try Tool.run(["memleak", "-O", "libc.so.6", "-T3", "0.5", "1"])
            #expect(run.status == 0)
            #expect(run.errors.hasPrefix("memleak: -O is of processes"))
            #expect(run.lines.contains { $0.hasSuffix("stacks with outstanding allocations:") })
        }
    }
}
