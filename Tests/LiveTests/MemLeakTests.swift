// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

extension LiveTests {
  /// memleak against workload-leaker, whose truth is what it printed itself.
  @Suite(.serialized) struct MemLeaks {
    static let rungs = ["session", "multi", "perf"]

    static func isThere(_ rung: String) throws -> Bool {
      try availableRungs("memleak", "allocators", of: rungs).contains(rung)
    }

    /// The last report of a run: its stacks and its summary.
    struct Report {
      let stacks: [[String: Any]]
      let summary: [String: Any]
      let truth: [String: Any]?

      init(_ finished: Finished) throws {
        let summaries = finished.objects(ofType: "memleak_summary")
        guard let last = summaries.last else {
          throw HarnessError(
            description: "no report: \(finished.errors) \(finished.output.suffix(400))")
        }
        summary = last
        stacks = finished.objects(ofType: "memleak").filter { $0.text("time") == last.text("time") }
        truth = finished.objects(ofType: "truth").first
      }

      /// Bytes and allocations of the stacks that a function is on.
      func sum(_ function: String, pid: Int? = nil) -> [Int] {
        let own = stacks.filter { stack in
          (pid == nil || stack.int("pid") == pid)
            && stack.rows("frames").contains { $0.text("symbol") == function }
        }
        return [
          own.reduce(0) { $0 + ($1.int("bytes") ?? 0) },
          own.reduce(0) { $0 + ($1.int("count") ?? 0) },
        ]
      }

      var losses: Int {
        summary.object("losses").values.reduce(0) { $0 + (($1 as? NSNumber)?.intValue ?? 0) }
      }
    }

    static let leaker = Tool.directory.appendingPathComponent("workload-leaker").path

    /// Runs a command under memleak, to its end.
    private func trace(
      _ rung: String, _ command: [String], options: [String] = [],
      environment: [String: String] = [:]
    ) throws -> Report {
      let finished = try Tool.run(
        ["memleak", "--json", "-T", "1000"] + options + ["--"] + command,
        environment: ["SWIFTMEM_RUNG": "memleak.allocators=\(rung)"].merging(environment) { $1 })
      return try Report(finished)
    }

    private func check(_ report: Report, _ rung: String, _ name: String) throws {
      let truth = try #require(report.truth)
      for kind in truth.rows("kinds") {
        let function = try #require(kind.text("function"))
        let want = [kind.int("outstanding_bytes") ?? -1, kind.int("outstanding_count") ?? -1]
        let sum = report.sum(function == "leak_in_thread" ? "leak_here" : function)
        let isRight = sum == want
        #expect(isRight, "\(rung): \(name): \(function): \(sum) of \(want)")
        Live.record(
          "memleak", "allocators/\(rung)", "\(name) \(function)", isRight, "\(sum) of \(want)")
      }
      #expect(report.losses == 0)
      #expect(report.summary.int("unmatched_frees") == 0)
      #expect(report.summary.int("abandoned_calls") == 0)
    }

    @Test("each function of the list, exactly", arguments: rungs, ["", "entry"])
    func functions(rung: String, placement: String) throws {
      guard try Self.isThere(rung) else { return }
      for kinds in [
        "malloc,calloc,realloc,memalign,posix_memalign,aligned_alloc,valloc,strdup,mmap,mmap-part,realloc-chain,failed",
        "big", "cross-free", "new-thread-first",
      ] {
        let report = try trace(
          rung, [Self.leaker, "--kind", kinds, "--count", "200"],
          environment: ["SWIFTMEM_PLACEMENT": placement])
        try check(report, rung, kinds)
      }
    }

    @Test("calls that fail are counted as such, and leave no allocation", arguments: rungs)
    func failures(rung: String) throws {
      guard try Self.isThere(rung) else { return }
      let report = try trace(rung, [Self.leaker, "--kind", "failed", "--count", "100"])
      #expect(report.summary.int("failed_calls") == 600)
      #expect(report.sum("leak_failed") == [10_000, 100])
    }

    @Test("eight threads at once", arguments: rungs)
    func threads(rung: String) throws {
      guard try Self.isThere(rung) else { return }
      for _ in 0..<3 {
        try check(trace(rung, [Self.leaker, "--threads", "8", "--count", "500"]), rung, "threads")
      }
    }

    @Test("a thousand leaks of 100 bytes among a million freed blocks")
    func needle() throws {
      let pairs = Live.fileMegabytes < 100 ? "0" : "1"
      let report = try trace(
        try #require(Self.rungs.first { try Self.isThere($0) }), [Self.leaker, "--churn", pairs])
      #expect(report.sum("leak_here") == [100_000, 1000])
      #expect(report.sum("churn_here") == [0, 0])
    }

    @Test("the state of threads kept by their ids")
    func byID() throws {
      let report = try trace(
        "perf,memleak.threads=by-id", [Self.leaker, "--threads", "8", "--count", "200"])
      #expect(report.sum("leak_here") == [160_000, 1600])
    }

    @Test("one in ten at random: the estimate is right, and called one")
    func sampling() throws {
      let report = try trace(
        try #require(Self.rungs.first { try Self.isThere($0) }), [Self.leaker, "--count", "20000"],
        options: ["-s", "10"])
      let sum = report.sum("leak_here")
      // a binomial's six sigma around 20000
      #expect(abs(sum[1] - 20_000) < 6 * 425)
      #expect(sum[0] == sum[1] * 100)
      #expect(
        report.stacks.filter { $0.int("count") ?? 0 > 1000 }.allSatisfy {
          $0["estimated"] as? Bool == true
        })
      #expect(report.summary.int("sampled_out") ?? 0 > 17_000)
    }

    @Test("sizes in and out of range")
    func sizes() throws {
      let command = [Self.leaker, "--kind", "malloc,big", "--count", "10"]
      let rung = try #require(Self.rungs.first { try Self.isThere($0) })
      #expect(
        try trace(rung, command, options: ["-z", "1000"]).sum("leak_here") == [10 << 20, 10])
      #expect(try trace(rung, command, options: ["-Z", "1000"]).sum("leak_here") == [1000, 10])
    }

    @Test("a full map is said, in the report and at once")
    func full() throws {
      let finished = try Tool.run(
        [
          "memleak", "--json", "--max-allocations", "100", "--strict", "--", Self.leaker, "--count",
          "500",
        ])
      let report = try Report(finished)
      #expect(finished.status == 70)
      #expect(finished.errors.contains("--max-allocations"))
      let lost = report.summary.object("losses").int("map_full") ?? 0
      #expect(lost > 0)
      #expect((report.summary.int("outstanding_count") ?? 0) + lost >= 500)
    }

    @Test("children: the parent's blocks stay the parent's")
    func follow() throws {
      let report = try trace(
        try #require(Self.rungs.first { try Self.isThere($0) }),
        [Self.leaker, "--kind", "fork", "--count", "100"],
        options: ["--follow"])
      let truth = try #require(report.truth)
      let child = truth.object("child")
      #expect(report.sum("leak_here", pid: truth.int("pid")) == [10_000, 100])
      #expect(
        report.sum("leak_here", pid: child.int("pid")) == [
          child.int("outstanding_bytes"), child.int("outstanding_count"),
        ])
    }

    @Test("two processes by -p, sums by SIGUSR1, and the last report at the end")
    func processes() throws {
      let first = try Running(
        URL(fileURLWithPath: Self.leaker), ["--count", "30", "--wait", "--hold"])
      let second = try Running(
        URL(fileURLWithPath: Self.leaker),
        ["--kind", "calloc", "--count", "20", "--wait", "--hold"])
      _ = try (first.object("ready"), second.object("ready"))
      let (tool, _) = try Tool.tracing([
        "memleak", "-p", "\(first.pid)", "-p", "\(second.pid)", "-o", "0", "1000",
      ])
      first.send("\n")
      second.send("\n")
      _ = try (first.object("truth"), second.object("truth"))
      tool.signal(SIGUSR1)
      _ = try tool.object("memleak_summary")
      let report = try Report(tool.stop(SIGINT))
      #expect(report.sum("leak_here", pid: Int(first.pid)) == [3000, 30])
      #expect(report.sum("leak_calloc", pid: Int(second.pid)) == [2000, 20])
      first.closeInput()
      second.closeInput()
    }

    @Test(
      "a busy process survives attaching, detaching, and the tracer's sudden end", arguments: rungs)
    func busy(rung: String) throws {
      guard try Self.isThere(rung) else { return }
      let target = try Running(
        URL(fileURLWithPath: Self.leaker), ["--threads", "4", "--churn", "100000", "--count", "1"])
      usleep(200_000)
      for signal in [SIGINT, SIGKILL, SIGINT, SIGKILL, SIGTERM] {
        let (tool, _) = try Tool.tracing(
          ["memleak", "-p", "\(target.pid)", "1000"],
          environment: ["SWIFTMEM_RUNG": "memleak.allocators=\(rung)"])
        usleep(100_000)
        let finished = tool.stop(signal)
        #expect(finished.status == (signal == SIGKILL ? -SIGKILL : 0))
        #expect(target.process.isRunning)
      }
      target.signal(SIGKILL)
    }

    /// Compiles a program with the system's compiler; nil where there is none.
    private func compile(_ compiler: String, _ flags: [String], _ source: String, suffix: String)
      throws -> String?
    {
      let directory = FileManager.default.temporaryDirectory.path
      let name = "\(directory)/memleak-\(UInt32.random(in: 0 ... .max))"
      try source.write(toFile: "\(name).\(suffix)", atomically: true, encoding: .utf8)
      defer { try? FileManager.default.removeItem(atPath: "\(name).\(suffix)") }
      let words = ([compiler] + flags + ["-o", name, "\(name).\(suffix)"]).joined(separator: " ")
      let finished = try Tool.shell("command -v \(compiler) >/dev/null || exit 99; \(words)")
      if finished.status == 99 && !Live.required { return nil }
      #expect(finished.status == 0, "\(finished.errors)")
      return name
    }

    @Test(
      "C with and without frame pointers, static, stripped",
      arguments: [
        ["-O2", "-fno-omit-frame-pointer"], ["-O2", "-fomit-frame-pointer"], ["-O2", "-static"],
        ["-O2", "-s", "-rdynamic"],
      ])
    func builds(flags: [String]) throws {
      let source = """
        #include <stdlib.h>
        void *volatile sink;
        __attribute__((noinline)) void leak_me(void) { sink = malloc(100); __asm__ volatile("" ::: "memory"); }
        int main(void) { for (int i = 0; i < 500; i++) { leak_me(); free(malloc(50)); } }
        """
      guard let binary = try compile("gcc", flags, source, suffix: "c") else { return }
      defer { try? FileManager.default.removeItem(atPath: binary) }
      for rung in Self.rungs where try Self.isThere(rung) {
        #expect(try trace(rung, [binary]).sum("leak_me") == [50_000, 500], "\(rung) \(flags)")
      }
    }

    @Test(
      "C++: operator new by its caller, and its exceptions stay catchable",
      arguments: [["-O2"], ["-O2", "-static"]])
    func cxx(flags: [String]) throws {
      let source = """
        #include <new>
        #include <cstdlib>
        void *volatile sink;
        __attribute__((noinline)) void leak_new() { sink = operator new(48); asm volatile("" ::: "memory"); }
        __attribute__((noinline)) void leak_array() { sink = new char[200]; asm volatile("" ::: "memory"); }
        __attribute__((noinline)) void fail(std::size_t size) { sink = operator new(size); asm volatile("" ::: "memory"); }
        int main() {
            int caught = 0;
            for (int i = 0; i < 300; i++) {
                leak_new();
                leak_array();
                delete new int;
                if (i % 50 == 0) try { fail(std::size_t(1) << 62); } catch (std::bad_alloc &) { caught++; }
            }
            return caught == 6 ? 42 : 1;
        }
        """
      guard let binary = try compile("g++", flags, source, suffix: "cc") else { return }
      defer { try? FileManager.default.removeItem(atPath: binary) }
      for rung in Self.rungs where try Self.isThere(rung) {
        let finished = try Tool.run(
          ["memleak", "--json", "-T", "1000", "--exit-status", "--", binary],
          environment: ["SWIFTMEM_RUNG": "memleak.allocators=\(rung)"])
        #expect(finished.status == 42)
        let report = try Report(finished)
        #expect(report.sum("leak_new()") == [14_400, 300])
        #expect(report.sum("leak_array()") == [60_000, 300])
      }
    }

    @Test("Swift, optimised: the function that leaks, demangled")
    func swift() throws {
      let source = """
        final class Node { var value = 0 }
        nonisolated(unsafe) var kept: [Unmanaged<Node>] = []
        kept.reserveCapacity(3000)
        @inline(never) func leakNode() { kept.append(Unmanaged.passRetained(Node())) }
        for _ in 0..<1000 { leakNode() }
        """
      guard
        let binary = try compile(
          "swiftc", ["-O", "-module-name", "leaky"], source, suffix: "swift")
      else { return }
      defer { try? FileManager.default.removeItem(atPath: binary) }
      let report = try trace(try #require(Self.rungs.first { try Self.isThere($0) }), [binary])
      let leaks = report.stacks.filter { stack in
        stack.rows("frames").contains { $0.text("symbol")?.contains("leaky.leakNode()") == true }
      }
      #expect(leaks.reduce(0) { $0 + ($1.int("count") ?? 0) } == 1000)
    }

    @Test(
      "what it can't do is one line and a status",
      arguments: [
        (["-p", "4194304"], 64, "no process has the id 4194304"),
        (["-p", "2"], 64, "2 is a kernel thread: it has no allocator"),
        (
          [], 64,
          "which process (-p), command (-c) or cgroup (--cgroup)? The kernel's allocations can't be traced yet"
        ),
        (["--percpu"], 64, "--percpu: the kernel's allocations can't be traced yet"),
        (
          ["-z", "9", "-Z", "8", "-p", "1"], 64, "min_size (-z) can't be greater than max_size (-Z)"
        ),
        (["-c", "/no/such/command"], 127, "/no/such/command: No such file or directory"),
      ] as [([String], Int32, String)])
    func unhappy(arguments: [String], status: Int32, words: String) throws {
      let finished = try Tool.run(["memleak"] + arguments)
      #expect(finished.status == status)
      #expect(finished.errors == "swiftmem: \(words)\n")
    }

    @Test("bcc's lines")
    func text() throws {
      let finished = try Tool.run([
        "memleak", "-T", "1", "-Z", "100", "-z", "100", "--", Self.leaker, "--kind", "deep",
        "--depth", "3", "--count", "5",
      ])
      let lines = finished.lines
      #expect(lines.first?.hasPrefix("Executing '") == true)
      #expect(lines.dropFirst().first?.hasPrefix("Attaching to pid ") == true)
      #expect(
        lines.contains {
          $0.hasPrefix("hooked ") && $0.contains("libc.so.6: malloc calloc realloc free")
        })
      let title = try #require(
        lines.firstIndex { $0.hasSuffix("] Top 1 stacks with outstanding allocations:") })
      #expect(lines[title + 1] == "\t500 bytes in 5 allocations from stack")
      #expect(lines[title + 2].hasPrefix("\t\t0x0000"))
      #expect(lines[title + 2].contains("\tleak_here+0x"))
      #expect(lines[title + 2].hasSuffix(" [workload-leaker]"))
    }
  }
}
