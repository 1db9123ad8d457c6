// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import LibBPF
internal import Probes

/// A tool: a subcommand that reports what it sees, most by probes that it attaches.
protocol Tool: Guided {
    /// Each of its modes, the usual one first, set up for its widest run: that is what `doctor` tries. A run takes its
    /// mode from where these come from, with the user's options.
    static var modes: [ToolMode] { get }
    /// It tells less without any of its hooks, and works; false, unless said.
    static var worksWithoutHooks: Bool { get }
}

extension Tool {
    static var worksWithoutHooks: Bool { false }
}

/// Every tool, in the order that help shows them.
let tools: [any Tool.Type] = [
    OOMKill.self,
    CacheStat.self,
    CacheTop.self,
    SwapIn.self,
    ShmSnoop.self,
    MemLeak.self,
    MemStall.self,
    MemInfo.self,
    Growth.self,
    // make new-tool: a tool goes above this line
]
