// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Reports

/// Records a run (`--record`): looks and reports are appended to its file, up to its size.
final class LeakRecorder {
    private let file: OutputFile
    private let limit: Int
    private var writer = LeakRecordWriter()
    /// Bytes of the file, and of what is still to be written to it.
    private var size = 0
    private var pending: [UInt8] = []
    /// Captured stacks in the file, with the frames as they were written.
    private var written: [AllocationSite: LeakSite] = [:]
    private var isOver = false
    private var failure: Failure?

    /// - Parameter limit: bytes of the file.
    /// - Throws: `Failure` where it can't be written.
    init(_ path: String, limit: Int) throws(Failure) {
        file = try OutputFile(path, option: "--record")
        self.limit = limit
        let head = writer.head()
        try file.write(head)
        size = head.count
    }

    /// The frames of a captured stack, which is written where the file does not have it.
    ///
    /// - Parameter live: gives its frames as they can be named now.
    /// - Throws: what `live` throws.
    func site(
        _ captured: AllocationSite, _ live: (AllocationSite) throws(BPFError) -> LeakSite
    ) throws(BPFError) -> LeakSite {
        if let site = written[captured], site.isFinal { return site }
        let site = try live(captured)
        if !isOver, written[captured] != site || !writer.knows(captured) { add(.site(captured, site)) }
        written[captured] = site
        return site
    }

    func forget(_ pid: UInt32) {
        add(.gone(pid))
        writer.forget(pid)
        written = written.filter { $0.key.pid != pid }
    }

    /// Writes a record. Where there is no more room, the recording ends and the run goes on.
    func add(_ record: LeakRecord) {
        guard !isOver else { return }
        let bytes = writer.bytes(record)
        guard size + bytes.count + LeakRecordWriter.endBytes <= limit else {
            isOver = true
            writer.takeBack()
            pending += writer.bytes(.end(isFull: true))
            write()
            return note("\(Printable.text(file.path)) is full: the recording ends here (--record-size)")
        }
        pending += bytes
        size += bytes.count
        // stacks wait for the look that needs them
        if case .site = record { return }
        write()
    }

    private func write() {
        do throws(Failure) {
            defer { pending.removeAll(keepingCapacity: true) }
            try file.write(pending)
        } catch {
            isOver = true
            failure = error
            note("\(error.message): the recording ends here")
        }
    }

    /// The run is over.
    ///
    /// - Throws: `Failure` where the recording lacks something, for it could not be written.
    func finish() throws(Failure) {
        add(.end(isFull: false))
        isOver = true
        if let failure { throw failure }
    }
}
