// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

extension FilePath {
    /// A path as the kernel writes it: any bytes, cut at the first NUL.
    ///
    /// Like every `FilePath`, it has no repeated and no closing slashes: they lead to the same file.
    public init(bytes: some Sequence<UInt8>) {
        self.init(platformString: bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0])
    }

    /// The path of what has this path below another root, such as `/proc/PID/root`.
    ///
    /// - Parameter root: empty for this process's own.
    public func below(_ root: FilePath) -> FilePath { root.isEmpty ? self : root.pushing(removingRoot()) }
}
