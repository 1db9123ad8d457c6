// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import SystemLayer

/// The owner of a file, for the choice of the process that interprets it: what one user's file does to that process must not
/// reach what another's is taken for.
package enum FileOwner: Hashable {
    /// The system's own: nobody but root can have made it.
    case system
    case other(FileSource)
    /// What a user's process has in its memory, or wrote down.
    case user(UInt32)

    package init(_ file: FileIdentity?) {
        self = file.map { FileSource($0) }.map { $0.isSystem ? .system : .other($0) } ?? .user(.max)
    }

    /// The maker of what a process has where the kernel put its library: the system's where it is what this process has there.
    package init(vdso: [UInt8], of pid: Int32) {
        self = vdso == Self.ownVDSO ? .system : .user(ProcessFiles(pid).owner ?? .max)
    }

    private static let ownVDSO: [UInt8]? = {
        guard let maps = try? ProcessMaps(pid: getpid()), let own = maps.mappings.first(where: { $0.kind == .vdso })
        else { return nil }
        return ModuleCache.memory(own, pid: getpid())
    }()
}

/// The processes that interpret files: one for the system's own, one for those of each user on one file system.
public final class ParserPool {
    /// At once; of more, the one that was asked longest ago is ended.
    private static let most = 8
    /// Owners that are remembered, so that one whose files end their process again and again gets no new one for that.
    private static let mostKnown = 4096

    private let server: ParserForkServer
    private var processes: [FileOwner: ParserProcess] = [:]
    private var uses: [FileOwner: UInt64] = [:]
    private var clock: UInt64 = 0
    /// Done again and again while an answer is waited for.
    var meanwhile: () -> Void = {}

    public init() {
        server = ParserForkServer(arguments: [CommandLine.arguments.first ?? "swiftmem", ParserProcess.argument])
    }

    /// Starts what they are forked from: before the tool gives up the rights that shut them in, and while it does
    /// something else.
    public func prepare() { server.start() }

    /// Those that run.
    public var running: [Int32] { processes.values.compactMap(\.pid).sorted() }

    /// How many there are, how often one died of a file, and the time that starting them took.
    public var summary: String {
        let deaths = processes.values.reduce(0) { $0 + $1.deaths }
        let (seconds, attoseconds) = processes.values.reduce(.zero) { $0 + $1.startTime }.components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        return
            "\(running.count) processes interpret files, \(deaths) died of one; to start them took \(microseconds) us"
    }

    /// Nil where too many owners are known.
    func process(of owner: FileOwner) -> ParserProcess? {
        clock += 1
        if let known = processes[owner] {
            uses[owner] = clock
            if known.pid == nil { makeRoom() }
            return known
        }
        guard processes.count < Self.mostKnown else { return nil }
        makeRoom()
        let fresh = ParserProcess(server) { [weak self] in self?.meanwhile() }
        processes[owner] = fresh
        uses[owner] = clock
        return fresh
    }

    private func makeRoom() {
        let running = processes.filter { $0.value.pid != nil }
        guard running.count >= Self.most,
            let oldest = running.min(by: { uses[$0.key] ?? 0 < uses[$1.key] ?? 0 })
        else { return }
        oldest.value.rest()
    }
}
