// SPDX-License-Identifier: Apache-2.0
import Foundation
import SchemaSupport
import Testing

/// A finished command.
struct Finished: Sendable {
    let status: Int32
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }

    var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

    /// The lines of one type.
    func rows<R: Row>(_ type: R.Type = R.self) throws -> [R] { try lines.compactMap(R.init(line:)) }

    /// The types of all lines; a line that is no JSON object with a type is an error.
    func types() throws -> [String] {
        struct Line: Decodable { let type: String }
        return try lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)).type }
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

    convenience init(_ path: String, _ arguments: [String] = []) throws {
        try self.init(URL(fileURLWithPath: path), arguments)
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
                check(line)
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

    /// The next line of this type, others passed over.
    @discardableResult
    func row<R: Row>(_ type: R.Type = R.self) throws -> R {
        while true {
            if let row = try R(line: try line()) { return row }
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
        let unseen = String(decoding: pending + rest, as: UTF8.self)
        for line in unseen.split(separator: "\n") { check(line) }
        let text = (seen.map { $0 + "\n" }).joined() + unseen
        let status =
            process.terminationReason == .exit
            ? process.terminationStatus : -process.terminationStatus
        return Finished(
            status: status, output: text, errors: String(decoding: words, as: UTF8.self))
    }

    /// Holds a record that the command under test printed against the schema of its type.
    private func check(_ line: some StringProtocol) {
        guard process.executableURL == Tool.binary, line.hasPrefix(#"{"type":"#) else { return }
        // a command that memleak runs prints records of its own
        let runsAnother = process.arguments?.contains { $0 == "-c" || $0 == "--" } ?? false
        if runsAnother && !RecordLine.hasSchema(line) { return }
        for finding in RecordLine.findings(in: line) { Issue.record("\(finding)") }
    }

    /// Ends it by a signal, by default the one that asks for the last report.
    func stop(_ number: Int32 = SIGTERM) -> Finished {
        signal(number)
        return finish()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
}
