// SPDX-License-Identifier: Apache-2.0

/// The machine's memory when a signal was sent.
public struct MemoryShortage: Hashable, Sendable {
    public var totalBytes: UInt64
    /// MemAvailable of /proc/meminfo: the kernel's estimate of what can be allocated without swapping.
    public var availableBytes: UInt64
    /// Percent of the last ten seconds in which some task, and all tasks, stalled for want of memory (PSI); nil where the
    /// kernel keeps no such figures.
    public var some: Double?
    public var full: Double?

    public init(totalBytes: UInt64, availableBytes: UInt64, some: Double?, full: Double?) {
        (self.totalBytes, self.availableBytes, self.some, self.full) = (totalBytes, availableBytes, some, full)
    }

    /// Less than a tenth is left, or all have stalled for a twentieth of the last ten seconds: where kubelet's and
    /// earlyoom's defaults act, and less than systemd-oomd's.
    public var isShort: Bool { availableBytes < totalBytes / 10 || (full ?? 0) >= 5 }

    /// Ten-second averages of /proc/pressure/memory (Documentation/accounting/psi.rst).
    public static func averages(_ text: String) -> (some: Double?, full: Double?) {
        func average(_ kind: Substring) -> Double? {
            let line = text.split(separator: "\n").first { $0.split(separator: " ").first == kind }
            let word = line?.split(separator: " ").first { $0.hasPrefix("avg10=") }
            return (word?.dropFirst("avg10=".count)).flatMap { Double($0) }.flatMap {
                (0...100).contains($0) ? $0 : nil
            }
        }
        return (average("some"), average("full"))
    }
}

/// A program that kills for want of memory before the kernel does.
///
/// The kernel does not know why a program sends a signal: that it was for memory is inferred, from the sender's name, and
/// for container runtimes from the victim's cgroup and the machine's state.
public struct MemoryKiller: Hashable, Sendable {
    /// The sign that a kill was for want of memory.
    public enum Evidence: String, Hashable, Sendable {
        /// The sender's name is that of a program that kills for no other reason.
        case senderName = "sender_name"
        /// The machine was short of memory.
        case shortage
        /// The victim is in a pod, and a container runtime sent the signal.
        case pod
    }

    /// `systemd-oomd`, `earlyoom`, `nohang`, `oomd`, `lmkd`, `bustd`, or `kubelet`.
    public var name: String
    public var evidence: [Evidence]

    /// Programs that end others for want of memory alone.
    static let daemons: Set<String> = ["systemd-oomd", "earlyoom", "nohang", "oomd", "lmkd", "bustd"]
    /// Programs that end containers for whoever asks.
    static let runtimes: Set<String> = ["containerd-shim", "runc", "crun", "conmon", "kubelet", "youki"]

    /// All of them, sixteen at most: programs of the kernel's side are told so many.
    public static var names: [String] { (daemons.union(runtimes)).sorted() }

    /// May a program of this name kill for want of memory? The machine's state decides for some.
    public static func mayBe(_ comm: String) -> Bool { daemons.contains(comm) || runtimes.contains(comm) }

    /// nil where nothing shows that the kill was for want of memory.
    public init?(_ kill: SentKill, _ machine: MemoryShortage?) {
        let short: [Evidence] = machine?.isShort == true ? [.shortage] : []
        if Self.daemons.contains(kill.sender.comm) {
            self.init(name: kill.sender.comm, evidence: [.senderName] + short)
        } else if Self.runtimes.contains(kill.sender.comm), kill.cgroup?.path.contains("kubepods") == true,
            !short.isEmpty
        {
            // an eviction: kubelet has the runtime end all of a pod
            self.init(name: "kubelet", evidence: [.pod] + short)
        } else {
            return nil
        }
    }

    init(name: String, evidence: [Evidence]) { (self.name, self.evidence) = (name, evidence) }
}
