// SPDX-License-Identifier: Apache-2.0
import Glibc
internal import SystemLayer
internal import SystemPackage

/// The perf map of a process, in its own mount and pid namespace; read again as it grows.
final class PerfMapFile {
    private let pid: Int32
    private let reading: FileReading
    private var map: PerfMap?
    private var identity: FileIdentity?
    private var dueAt = ContinuousClock.now

    init(pid: Int32, _ reading: FileReading) {
        self.pid = pid
        self.reading = reading
    }

    /// May it be looked for again?
    var isDue: Bool { .now >= dueAt }

    /// Number of functions, superseded ones included.
    var count: Int { map?.count ?? 0 }

    /// The function that holds `address`, and the distance from its start.
    func symbol(address: UInt64) -> (name: String, offset: UInt64)? { map?.symbol(address: address) }

    /// Reads it, where it is another than before. /tmp is everybody's: a link there is not followed, and a file that does
    /// not belong to the process's own user is as good as none.
    func load() {
        let began = ContinuousClock.now
        // a compiler writes on: its map is read for a fiftieth of the time at most
        defer { dueAt = .now + max(.seconds(1), began.duration(to: .now) * 50) }
        guard !FileReading.isInterrupted, let path = Self.path(pid: pid), let owner = ProcessFiles(pid).owner else {
            return
        }
        let shown = FilePath("/" + path.string)
        do throws(SymbolError) {
            guard let file = try open(path, shown), let status = try? file.status(), status.st_uid == owner,
                identity != FileIdentity(status)
            else { return }
            identity = FileIdentity(status)
            let share = FileShare(reading, status)
            let bytes = FileBytes(file)
            // the old one's room is the new one's
            map = nil
            map = try reading.timed(identity) { () throws(SymbolError) in try PerfMap(bytes, share, path: shown) }
        } catch {
            reading.omit(shown, .names, error)
        }
    }

    /// nil where there is none, or what is there is no regular file.
    private func open(_ path: FilePath, _ shown: FilePath) throws(SymbolError) -> OpenFile? {
        do throws(FileError) {
            return try reading.servers.open(
                path, below: ProcessFiles(pid).path("root"), pid: pid, followsLinks: false,
                atMost: PerfMap.longestText)
        } catch {
            if error.code == .fileTooLarge { throw .leftOut(path: shown.description, reason: .memory) }
            return nil
        }
    }

    /// tmp/perf-N.map, N the number that the process has for itself (`NSpid`, the last).
    static func path(pid: Int32) -> FilePath? {
        ProcessFiles(pid).status?.words("NSpid")?.last.map { FilePath("tmp/perf-\($0).map") }
    }
}
