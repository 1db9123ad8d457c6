// SPDX-License-Identifier: Apache-2.0
internal import Reports
internal import SystemLayer

/// The allocators of a process that was there before the start, with all files looked at.
struct FoundAllocators {
    let pid: UInt32
    /// Opened before anything was looked at: its number may be another's by the time it is attached to.
    let process: ProcessDescriptor
    let files: [AllocatorFile]
    let inspected: Set<FileNumber>

    /// Looks before anything is loaded, so that a process without an allocator is refused at once.
    ///
    /// - Throws: `Failure` where no process of `-p` has one, or one may not be looked at.
    static func search(_ plan: MemLeakPlan) throws(Failure) -> [FoundAllocators] {
        guard case .processes(let pids) = plan.target else { return [] }
        var found: [FoundAllocators] = []
        for pid in pids {
            let process = try ProcessDescriptor(pid)
            if ProcessFiles(pid).is32Bit { throw NarrowProgram.refusal(pid) }
            var known: Set<FileNumber> = []
            let files = try plan.search.files(of: pid, except: &known)
            found.append(FoundAllocators(pid: pid, process: process, files: files, inspected: known))
        }
        guard found.contains(where: { !$0.files.isEmpty }) else {
            throw Failure(
                status: Failure.Status.unavailable,
                message: "no allocator found in \(plan.target.text)"
                    + (plan.search.object.map { " (-O \(Printable.text($0)))" } ?? ""),
                remedy: "looked for malloc and free in all its executable mappings; "
                    + "-O and --symbols-prefix say where and what else")
        }
        if let prefix = plan.search.prefix, !found.contains(where: { $0.files.contains(where: \.hasHeap) }) {
            throw Failure(
                status: Failure.Status.unavailable,
                message: "no \(Printable.text(prefix))malloc found in \(plan.target.text) (--symbols-prefix)")
        }
        return found
    }
}
