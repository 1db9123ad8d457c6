// SPDX-License-Identifier: Apache-2.0
internal import CSandbox
internal import Glibc
package import SystemLayer
internal import SystemPackage

/// What the process is asked, as a task gets it.
package struct ParserRequest: ~Copyable {
    package var message: MessageReader
    /// The file to be read; nil: none came with it.
    package var file: OpenFile?
    /// What its reading may cost.
    package let reading: FileReading
}

/// The processes' own end: one that is forked from, and those that shut themselves in, then answer one question after
/// another until their owner is gone.
public final class ParserService {
    /// Answers one kind of question.
    package typealias Task = (inout ParserRequest) throws(SymbolError) -> MessageWriter

    /// Address space beyond what it has at its start: what all files may take (`FileReading.Limits`), and a quarter.
    private static let memory = UInt64(5 << 28)
    /// CPU seconds of its life; its owner has another started after half of that.
    private static let seconds: UInt64 = 120
    /// A question is never larger: code of a function.
    private static let longestQuestion = 1 << 20

    private var tasks: [UInt64: Task] = [:]
    private let reading = FileReading()

    public init() {
        add(.demangle, Demangler.answer)
        add(.unpack, DebugFiles.answer)
        let lines = LineService()
        add(.openLines) { (request) throws(SymbolError) in try lines.open(&request) }
        add(.scopes) { (request) throws(SymbolError) in lines.scopes(&request) }
        add(.closeLines) { (request) throws(SymbolError) in lines.close(&request) }
    }

    package func add(_ question: ParserQuestion, _ task: @escaping Task) { tasks[question.rawValue] = task }

    /// Serves to be forked from; in each process that is, shuts it in and answers. Ends the process.
    public func run() -> Never {
        warmUp()
        sandbox_fork_server()
        enter(Self.seconds)
        while let (header, message, file) = next() {
            answer(header, message, file)
        }
        exit(0)
    }

    /// For the test of it: shuts this process in and tries what it must not be able to do. Ends with 0 where it could, with
    /// errno where that was refused; most attempts end it by SIGSYS.
    public func attempt(_ what: String) -> Never {
        warmUp()
        enter(1)
        let outcome = sandbox_try(what)
        exit(outcome < 0 ? 64 : outcome)
    }

    /// What the runtime makes when it is first asked for, it is to make while it may.
    private func warmUp() { _ = [Self.memory: Self.memory].hashValue }

    /// Whoever can't be shut in reads nothing.
    private func enter(_ seconds: UInt64) {
        let failure = sandbox_enter(Self.memory, seconds)
        if failure.step != nil { exit(70) }
    }

    private func next() -> (MessageHeader, [UInt8], Int32)? {
        var header = MessageHeader(question: 0, length: 0)
        var file: Int32 = -1
        let isWhole = withUnsafeMutableBytes(of: &header) { Self.fill($0, &file) }
        guard isWhole, header.magic == MessageHeader.magic, let length = Int(exactly: header.length),
            length <= Self.longestQuestion
        else { return nil }
        var message = [UInt8](repeating: 0, count: length)
        var none: Int32 = -1
        guard message.withUnsafeMutableBytes({ Self.fill($0, &none) }) else { return nil }
        return (header, message, file)
    }

    private static func fill(_ bytes: UnsafeMutableRawBufferPointer, _ file: inout Int32) -> Bool {
        guard let start = bytes.baseAddress else { return true }
        var got = 0
        while got < bytes.count {
            var descriptor: Int32 = -1
            let count = sandbox_receive(Int32(SANDBOX_SOCKET), start + got, bytes.count - got, &descriptor)
            guard count > 0 else { return false }
            if descriptor >= 0 { file = descriptor }
            got += count
        }
        return true
    }

    private func answer(_ header: MessageHeader, _ message: [UInt8], _ file: Int32) {
        let descriptor = file >= 0 ? OpenFile(owning: file, called: "") : nil
        var request = ParserRequest(message: MessageReader(message), file: descriptor, reading: reading)
        var answer = MessageWriter()
        if let task = tasks[header.question] {
            do throws(SymbolError) {
                let made = try reading.within(.nanoseconds(Int64(clamping: header.allowed))) { () throws(SymbolError) in
                    try task(&request)
                }
                answer.add(0)
                send(header.question, answer.bytes, made.bytes)
                return
            } catch {
                error.write(to: &answer)
            }
        }
        send(header.question, answer.bytes, [])
    }

    private func send(_ question: UInt64, _ first: [UInt8], _ second: [UInt8]) {
        let header = MessageHeader(question: question, length: UInt64(first.count + second.count))
        if second.count < 1 << 16 {
            header.before(first + second).withUnsafeBytes { Self.send($0) }
        } else {
            header.before(first).withUnsafeBytes { Self.send($0) }
            second.withUnsafeBytes { Self.send($0) }
        }
    }

    private static func send(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        var sent = 0
        while sent < bytes.count {
            let count = sandbox_send(Int32(SANDBOX_SOCKET), start + sent, bytes.count - sent, -1)
            guard count > 0 else { exit(0) }
            sent += count
        }
    }
}
