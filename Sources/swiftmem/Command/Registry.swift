// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import LibBPF
internal import Probes

/// A tool: a subcommand that attaches probes and reports what they see.
protocol Tool: ParsableCommand {
    /// What it attaches to; its name is the tool's and its BPF object's.
    static var probes: ProbeSet { get }
    /// What it attaches to under other options, where that differs.
    static var otherProbes: [ProbeSet] { get }
    /// Sets the programs' read-only data as the rungs chosen want it, for the widest
    /// run: the one that `doctor` tries.
    static func configure(
        _ object: borrowing OpenObject, _ resolution: Resolution
    ) throws(BPFError)
}

extension Tool {
    static var otherProbes: [ProbeSet] { [] }

    static func configure(
        _ object: borrowing OpenObject, _ resolution: Resolution
    ) throws(BPFError) {}
}

/// Every tool, in the order that help shows them. A new tool is one line here.
let tools: [any Tool.Type] = [
    OOMKill.self,
    CacheStat.self,
    CacheTop.self,
    SwapIn.self,
    ShmSnoop.self,
    MemLeak.self,
]
