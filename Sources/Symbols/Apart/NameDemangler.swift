// SPDX-License-Identifier: Apache-2.0
internal import SystemPackage

/// Demangles the names of one file, apart from this process where that is to be.
final class NameDemangler {
    private let reading: FileReading
    private let path: FilePath
    private let owner: FileOwner
    private let trust = ParserTrust()
    /// CPU time for one name.
    private static let allowed = Duration.milliseconds(500)

    init(_ reading: FileReading, _ path: FilePath, _ owner: FileOwner) {
        (self.reading, self.path, self.owner) = (reading, path, owner)
    }

    /// The name as people write it, or as it is where it isn't mangled or can't be demangled within the limits; nil where
    /// that could not be asked, and may be asked again.
    func demangle(_ name: String) -> String? {
        guard Demangler.language(of: name) != nil, name.utf8.count <= Demangler.longestName, !trust.isLost else {
            return name
        }
        do throws(SymbolError) {
            switch try reading.place(of: path, owner) {
            case .here: return Demangler.demangle(name) ?? name
            case .apart: return try ask(name) ?? name
            }
        } catch {
            reading.omit(path, .names, error)
            return nil
        }
    }

    private func ask(_ name: String) throws(SymbolError) -> String? {
        do throws(SymbolError) { return try answer(name) } catch {
            if !FileReading.isInterrupted { trust.died() }
            throw error
        }
    }

    private func answer(_ name: String) throws(SymbolError) -> String? {
        var message = MessageWriter()
        message.add(name)
        var answer = try reading.ask(.demangle, message, of: owner, path: path, allowed: Self.allowed) {
            $0 <= Demangler.longestResult + 64
        }
        guard let text = answer.optionalText(most: Demangler.longestResult), answer.isAtEnd else {
            throw .leftOut(path: path.description, reason: .parser)
        }
        return text
    }
}

extension Demangler {
    /// The other end: a name as people write it, or none.
    static func answer(_ request: inout ParserRequest) -> MessageWriter {
        var answer = MessageWriter()
        answer.add(request.message.text(most: longestName).flatMap(demangle))
        return answer
    }
}
