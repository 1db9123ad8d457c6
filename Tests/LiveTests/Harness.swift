// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing

/// What the live tests may do on this machine, and how much they must.
enum Live {
    /// `SWIFTMEM_LIVE=require`: a test that can't run fails instead of being skipped.
    static let required = ProcessInfo.processInfo.environment["SWIFTMEM_LIVE"] == "require"

    /// Why live tests can't run here; nil when they can.
    static let obstacle: String? = {
        if geteuid() != 0 { return "not root" }
        return doctor == nil ? "no swiftmem binary at \(Tool.binary.path)" : nil
    }()

    /// What doctor says of all tools, asked once: it takes seconds on an emulated CPU.
    static let doctor = try? Tool.run(["doctor", "--json"])

    /// The condition of every live test: true where they can run, and where they must.
    static var canRun: Bool {
        if let obstacle {
            print("live tests can't run: \(obstacle)")
        }
        return obstacle == nil || required
    }

    /// Is the running kernel's memory controller cgroup v2?
    static let unified =
        access("/sys/fs/cgroup/memory.stat", F_OK) == 0
        || (try? String(contentsOfFile: "/sys/fs/cgroup/cgroup.controllers", encoding: .utf8))?
            .contains("memory") == true

    /// A directory on a real file system, for page cache work.
    static let scratch = ProcessInfo.processInfo.environment["SWIFTMEM_SCRATCH"] ?? "/var/tmp"

    /// Is this a machine of the kernel matrix?
    static let inMatrix = ProcessInfo.processInfo.environment["SWIFTMEM_RESULTS"] != nil

    /// How large a file page cache tests use: an emulated CPU is slow.
    static let fileMegabytes = inMatrix ? 24 : 100

    /// The rungs of a `start` object as the matrix's results name them: `ladder/rung`, with commas.
    static func names(_ rungs: [String: Any]) -> String {
        rungs.compactMap { ladder, rung in (rung as? String).map { "\(ladder)/\($0)" } }
            .sorted().joined(separator: ",")
    }

    /// Does a tool work on this kernel, by doctor's word? Where it doesn't, the matrix
    /// hears why: such a kernel is one the tool does not support, not one untested.
    static func works(_ tool: String) -> Bool {
        guard let row = doctor?.objects(ofType: "doctor_tool").first(where: { $0.text("tool") == tool })
        else { return required }
        if row["works"] as? Bool == true { return true }
        record(tool, "-", "-", status: "unsupported", row.text("failure") ?? "?")
        return false
    }

    /// Tells the matrix, once, that a tool started on these rungs.
    static func noteRungs(_ start: [String: Any]) {
        guard let tool = start.text("tool") else { return }
        let names = names(start.object("rungs"))
        let isNew = rungsNoted.withLock { $0.insert("\(tool) \(names)").inserted }
        if isNew { record(tool, names, "starts", true, "") }
    }

    private static let rungsNoted = Mutex<Set<String>>([])

    /// Appends a test's outcome to the results file that the kernel matrix collects.
    static func record(_ tool: String, _ rung: String, _ test: String, _ passed: Bool, _ detail: String) {
        record(tool, rung, test, status: passed ? "pass" : "fail", detail)
    }

    /// Tells the matrix what the verifier did for a program.
    static func recordVerifier(_ tool: String, _ program: String, _ instructions: Int) {
        write("verifier\t\(tool)\t\(program)\t\(instructions)")
    }

    private static func record(
        _ tool: String, _ rung: String, _ test: String, status: String, _ detail: String
    ) {
        write("\(tool)\t\(rung)\t\(test)\t\(status)\t\(detail)")
    }

    private static func write(_ line: String) {
        guard let path = ProcessInfo.processInfo.environment["SWIFTMEM_RESULTS"],
            let file = FileHandle(forWritingAtPath: path)
        else { return }
        file.seekToEndOfFile()
        file.write(Data((line + "\n").utf8))
        try? file.close()
    }
}

struct HarnessError: Error, CustomStringConvertible {
    let description: String
}

/// A finished command.
struct Finished {
    let status: Int32
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }
    var objects: [[String: Any]] {
        lines.compactMap {
            (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
        }
    }
    func objects(ofType type: String) -> [[String: Any]] {
        objects.filter { $0["type"] as? String == type }
    }
}

/// A running command whose output is read line by line.
final class Running {
    let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errors = Pipe()
    private var pending = Data()
    private var seen: [String] = []

    init(
        _ executable: URL, _ arguments: [String], environment: [String: String] = [:]
    ) throws {
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    var pid: Int32 { process.processIdentifier }

    /// The next line of output.
    func line(within seconds: Double = 60) throws -> String {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while true {
            if let end = pending.firstIndex(of: 10) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending = Data(pending[pending.index(after: end)...])
                seen.append(line)
                return line
            }
            var wait = pollfd(fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, Int32(max(0, deadline.timeIntervalSinceNow) * 1000)) > 0 else {
                throw HarnessError(description: "no line within \(seconds) s; so far: \(seen)")
            }
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else {
                let words = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                throw HarnessError(description: "the command ended: \(words)")
            }
            pending += data
        }
    }

    /// The next line as a JSON object of this type, others passed over.
    func object(_ type: String) throws -> [String: Any] {
        while true {
            let text = try line()
            if let object = (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any],
                object["type"] as? String == type
            {
                return object
            }
        }
    }

    func send(_ text: String) { input.fileHandleForWriting.write(Data(text.utf8)) }
    func closeInput() { try? input.fileHandleForWriting.close() }
    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for the end; all output, what `line` returned included.
    func finish() -> Finished {
        let rest = output.fileHandleForReading.readDataToEndOfFile()
        let words = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let text = (seen.map { $0 + "\n" }).joined() + String(decoding: pending + rest, as: UTF8.self)
        let status =
            process.terminationReason == .exit
            ? process.terminationStatus : -process.terminationStatus
        return Finished(
            status: status, output: text, errors: String(decoding: words, as: UTF8.self))
    }

    /// Ends it by a signal, by default the one that asks for the last report.
    func stop(_ number: Int32 = SIGTERM) -> Finished {
        signal(number)
        return finish()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
}

/// The command under test.
enum Tool {
    static let directory =
        Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
        .map { URL(fileURLWithPath: $0.bundlePath).deletingLastPathComponent() }
        ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()

    static let binary =
        ProcessInfo.processInfo.environment["SWIFTMEM_BINARY"]
        .map { URL(fileURLWithPath: $0) } ?? directory.appendingPathComponent("swiftmem")

    static func start(_ arguments: [String], environment: [String: String] = [:]) throws -> Running {
        try Running(binary, arguments, environment: environment)
    }

    /// Starts a tool with --json and waits until it traces.
    static func tracing(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (Running, rungs: [String: Any]) {
        let tool = try start(arguments + ["--json"], environment: environment)
        let object = try tool.object("start")
        Live.noteRungs(object)
        return (tool, object["rungs"] as? [String: Any] ?? [:])
    }

    @discardableResult
    static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Finished {
        try start(arguments, environment: environment).finish()
    }

    /// Runs a shell command line with `$SWIFTMEM` naming the binary.
    static func shell(_ command: String) throws -> Finished {
        try Running(
            URL(fileURLWithPath: "/bin/bash"), ["-c", command],
            environment: ["SWIFTMEM": binary.path]
        ).finish()
    }
}

/// Is a rung one that a name asks for: it has this id, or its id begins with it?
func isRung(_ id: String?, _ name: String) -> Bool { id == name || id?.hasPrefix(name + "_") == true }

/// Which rungs of a ladder this kernel has, by asking doctor for each, once.
func availableRungs(_ tool: String, _ ladder: String, of all: [String]) throws -> [String] {
    let key = "\(tool).\(ladder) " + all.joined(separator: " ")
    if let known = rungsAsked.withLock({ $0[key] }) { return known }
    let rungs = try all.filter { rung in
        let doctor = try Tool.run(
            ["doctor", tool, "--json"], environment: ["SWIFTMEM_RUNG": "\(tool).\(ladder)=\(rung)"])
        let row = doctor.objects(ofType: "doctor_tool").first { $0.text("tool") == tool }
        let choice = row?.rows("ladders").first { $0.text("ladder") == ladder }
        return isRung(choice?.text("rung"), rung) && row?["works"] as? Bool == true
    }
    rungsAsked.withLock { $0[key] = rungs }
    return rungs
}

private let rungsAsked = Mutex<[String: [String]]>([:])

/// A program of Tests/Workloads.
enum Workload {
    static func start(_ name: String, _ arguments: [String]) throws -> Running {
        try Running(Tool.directory.appendingPathComponent("workload-\(name)"), arguments)
    }

    /// Runs one to its end; its truth.
    static func truth(_ name: String, _ arguments: [String]) throws -> [String: Any] {
        let finished = try start(name, arguments).finish()
        guard finished.status == 0, let truth = finished.objects(ofType: "truth").first else {
            throw HarnessError(description: "\(name) failed: \(finished.errors) \(finished.output)")
        }
        return truth
    }
}

extension [String: Any] {
    func int(_ key: String) -> Int? { (self[key] as? NSNumber)?.intValue }
    func text(_ key: String) -> String? { self[key] as? String }
    func isNull(_ key: String) -> Bool { self[key] is NSNull }
    func rows(_ key: String) -> [[String: Any]] { self[key] as? [[String: Any]] ?? [] }
    func object(_ key: String) -> [String: Any] { self[key] as? [String: Any] ?? [:] }
}

/// Every live test belongs to this suite: one at a time, for they share the machine.
@Suite(.serialized, .enabled(if: Live.canRun))
enum LiveTests {}
