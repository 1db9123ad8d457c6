// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// A file that could not be opened or read.
public struct FileError: Error, Hashable, Sendable {
    /// The system call: `open`, `read`, `stat`.
    public let operation: String
    public let path: FilePath
    public let code: Errno

    /// - Parameter path: what the call was about.
    public init(operation: String, path: FilePath, code: Errno) {
        (self.operation, self.path, self.code) = (operation, path, code)
    }
}

extension FileError: CustomStringConvertible {
    /// One line; bytes of the path that are not UTF-8 are replaced.
    public var description: String { "\(operation) \(path.string): \(code)" }
}

/// Runs calls of swift-system, which throw `Errno` and nothing else but say so in no type.
func calling<Value>(
    _ operation: String, _ path: FilePath, _ body: () throws -> Value
) throws(FileError) -> Value {
    do {
        return try body()
    } catch {
        throw FileError(operation: operation, path: path, code: error as? Errno ?? .invalidArgument)
    }
}
