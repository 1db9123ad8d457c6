// SPDX-License-Identifier: Apache-2.0
internal import CGzip
internal import Reports

/// The files of a run's last report in other tools' formats.
struct LeakFiles {
    private let files: [(format: LeakFormat, file: OutputFile)]
    /// The last report's stacks.
    private var profile: LeakProfile?

    var isEmpty: Bool { files.isEmpty }

    /// - Throws: `Failure` where one can't be written.
    init(_ paths: [(format: LeakFormat, path: String?)]) throws(Failure) {
        var files: [(LeakFormat, OutputFile)] = []
        for (format, path) in paths {
            if let path { files.append((format, try OutputFile(path, option: "--\(format.rawValue)"))) }
        }
        self.files = files
    }

    mutating func take(_ profile: LeakProfile) { self.profile = profile }

    /// Writes them.
    ///
    /// - Throws: `Failure` where one can't be written.
    func write() throws(Failure) {
        guard let profile else { return }
        for (format, file) in files {
            let bytes = format.renderer.render(profile)
            try file.write(format.isCompressed ? Self.compressed(bytes) : bytes)
        }
    }

    private static func compressed(_ bytes: [UInt8]) throws(Failure) -> [UInt8] {
        let room = gzip_bound(bytes.count)
        let compressed = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            // SAFETY: both buffers have the lengths that are given.
            count = gzip_bytes(bytes, bytes.count, buffer.baseAddress, room)
        }
        guard !compressed.isEmpty else { throw Failure(status: Failure.Status.system, message: "can't compress") }
        return compressed
    }
}
