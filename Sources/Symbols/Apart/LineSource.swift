// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import SystemLayer
internal import SystemPackage

/// Says which lines and functions the code at an address comes from.
protocol LineSource: AnyObject {
    /// The functions at `address`, as linked, innermost first; empty where nothing is known.
    func scopes(address: UInt64) -> [DwarfLines.Scope]
}

/// Lines of a module, read by the process that interprets files.
final class LinesApart: LineSource {
    private let file: DwarfLines.Origin
    private let reading: FileReading
    private let path: FilePath
    private let identity: FileIdentity?
    private let owner: FileOwner
    private let trust = ParserTrust()
    /// The file as the process knows it, and which process that is.
    private var opened: (handle: UInt64, generation: Int)?

    /// - Throws: as `DwarfLines.init`.
    init(_ file: consuming DwarfLines.Origin) throws(SymbolError) {
        reading = file.file.share.reading
        path = file.file.path
        identity = file.file.identity()
        owner = FileOwner(identity)
        self.file = file
        _ = try handle()
    }

    deinit {
        guard let opened, let parser = reading.parsers?.process(of: owner), parser.pid != nil,
            parser.generation == opened.generation
        else {
            return
        }
        var message = MessageWriter()
        message.add(opened.handle)
        _ = try? reading.ask(.closeLines, message, of: owner, path: path)
    }

    /// Opens the file there, where that process has not.
    private func handle() throws(SymbolError) -> UInt64 {
        if let opened, let parser = reading.parsers?.process(of: owner), parser.start(),
            parser.generation == opened.generation
        {
            return opened.handle
        }
        var message = MessageWriter()
        message.add(file.bias)
        message.add(owner == .system ? 1 : 0)
        var answer = try reading.ask(.openLines, message, of: owner, file: file.file.bytes.descriptor, path: path)
        guard let handle = answer.number(), answer.isAtEnd, let parser = reading.parsers?.process(of: owner) else {
            throw .leftOut(path: path.description, reason: .parser)
        }
        opened = (handle, parser.generation)
        return handle
    }

    func scopes(address: UInt64) -> [DwarfLines.Scope] {
        guard !trust.isLost else { return [] }
        do throws(SymbolError) {
            return try reading.timed(identity) { () throws(SymbolError) in try ask(address) }
        } catch {
            // a process that died takes with it what it knew; the next one is asked again, once
            if !FileReading.isInterrupted { trust.died() }
            reading.omit(path, .lines, error)
            return []
        }
    }

    private func ask(_ address: UInt64) throws(SymbolError) -> [DwarfLines.Scope] {
        guard !reading.isSpent else { return [] }
        var message = MessageWriter()
        message.add(try handle())
        message.add(address)
        var answer = try reading.ask(.scopes, message, of: owner, path: path)
        guard let isLeftOut = answer.number(), let scopes = Self.scopes(&answer) else {
            throw .leftOut(path: path.description, reason: .parser)
        }
        if isLeftOut != 0 { reading.omit(path, .lines, .memory) }
        return scopes
    }

    /// Nil where the answer makes no sense.
    private static func scopes(_ answer: inout MessageReader) -> [DwarfLines.Scope]? {
        guard let count = answer.number(), count <= UInt64(DwarfLines.deepest) + 2 else { return nil }
        var scopes: [DwarfLines.Scope] = []
        for _ in 0..<count {
            guard let isInlined = answer.number(), let name = answer.optionalText(most: LineService.longestText),
                let file = answer.optionalText(most: LineService.longestText), let line = answer.number(),
                let column = answer.number()
            else { return nil }
            let source = file.map {
                SourceLocation(file: $0, line: Int(clamping: line), column: Int(clamping: column))
            }
            scopes.append(DwarfLines.Scope(name: name, source: source, isInlined: isInlined != 0))
        }
        return answer.isAtEnd ? scopes : nil
    }
}

/// The other end: files whose lines are asked for.
final class LineService {
    /// Bytes of a name or a path; what is longer is cut.
    static let longestText = 1 << 15

    private var files: [UInt64: DwarfLines] = [:]
    private var last: UInt64 = 0

    func open(_ request: inout ParserRequest) throws(SymbolError) -> MessageWriter {
        guard let bias = request.message.number(), let isSystem = request.message.number(),
            let file = request.file.take()
        else { throw .noDWARF(reason: "no file") }
        last += 1
        let elf = try ELFFile(file, path: FilePath("\(last)"), request.reading)
        files[last] = try DwarfLines(DwarfLines.Origin(file: elf, bias: bias, isSystem: isSystem != 0))
        var answer = MessageWriter()
        answer.add(last)
        return answer
    }

    func scopes(_ request: inout ParserRequest) -> MessageWriter {
        let before = request.reading.omissionCount
        var scopes: [DwarfLines.Scope] = []
        if let handle = request.message.number(), let address = request.message.number() {
            scopes = files[handle]?.scopes(address: address) ?? []
        }
        var answer = MessageWriter()
        answer.add(request.reading.omissionCount - before)
        answer.add(UInt64(scopes.count))
        for scope in scopes {
            answer.add(scope.isInlined ? 1 : 0)
            answer.add(scope.name.map(Self.cut))
            answer.add(scope.source.map { Self.cut($0.file) })
            answer.add(UInt64(clamping: scope.source?.line ?? 0))
            answer.add(UInt64(clamping: scope.source?.column ?? 0))
        }
        return answer
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count <= longestText ? text : String(decoding: text.utf8.prefix(longestText - 4), as: UTF8.self)
    }

    func close(_ request: inout ParserRequest) -> MessageWriter {
        if let handle = request.message.number() { files[handle] = nil }
        return MessageWriter()
    }
}
