// SPDX-License-Identifier: Apache-2.0
package import SystemPackage

extension FileReading {
    /// Where a file is interpreted.
    package enum Place {
        /// In this process: there is no other, or it can't be had and the file is the system's own.
        case here
        case apart
    }

    /// Where a file is to be interpreted.
    ///
    /// - Throws: `.leftOut` where that is apart, and there is no such process.
    package func place(of path: FilePath, _ owner: FileOwner) throws(SymbolError) -> Place {
        guard let parsers else { return .here }
        if let process = parsers.process(of: owner), process.start() { return .apart }
        guard owner == .system else { throw .leftOut(path: path.description, reason: .parser) }
        return .here
    }

    /// What the process that interprets files says to a question about one of them, within the time that is left for it.
    ///
    /// - Parameters:
    ///   - owner: of the file.
    ///   - file: its descriptor; -1: none is needed.
    ///   - allowed: CPU time where no file is being read.
    ///   - room: asked with the bytes of an answer before it is taken in.
    /// - Throws: what it throws, or `.leftOut`.
    package func ask(
        _ question: ParserQuestion, _ message: MessageWriter, of owner: FileOwner, file: Int32 = -1, path: FilePath,
        allowed: Duration = .seconds(1), room: (Int) -> Bool = { $0 <= 1 << 22 }
    ) throws(SymbolError) -> MessageReader {
        guard let parser = parsers?.process(of: owner) else { throw .leftOut(path: path.description, reason: .parser) }
        var reader: MessageReader
        do throws(ParserProcess.Failure) {
            let (answer, took) = try parser.ask(
                question, message.bytes, file: file, allowed: timeLeft ?? allowed, room: room)
            charge(took)
            reader = MessageReader(answer)
        } catch {
            let reason: Reason =
                switch error {
                case .missing, .died: .parser
                case .time, .interrupted: .time
                case .memory: .memory
                }
            if reason == .time, let timeLeft { charge(timeLeft) }
            throw .leftOut(path: path.description, reason: reason)
        }
        var error = reader
        if let error = SymbolError(&error, path: path.description) { throw error }
        guard reader.number() == 0 else { throw .leftOut(path: path.description, reason: .parser) }
        return reader
    }
}

/// A file's claim on the process that interprets it: of one that it dies of twice it is asked no more.
package final class ParserTrust {
    private var deaths = 0

    package init() {}

    package var isLost: Bool { deaths >= 2 }

    package func died() { deaths += 1 }
}
