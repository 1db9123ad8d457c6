// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import Probes
internal import TraceRecords

extension CacheStat {
    static var modes: [ToolMode] { [mode(readahead: true)] }

    /// - Parameter readahead: what becomes of pages read ahead too. Its programs attach behind those of the reads
    ///   and the page faults, for they read what `read_batch_btf` and `file_rss_btf` have just noted.
    static func mode(readahead: Bool, filter: filter_config = filter_config()) -> ToolMode {
        let always: [any Ladder.Type] = [
            PageCache.State.self, PageCache.Reads.self, PageCache.Insertions.self, PageCache.Faults.self,
            PageCache.Removals.self,
        ]
        return ToolMode(of: "cachestat", ladders: always + (readahead ? [PageCache.Readahead.self] : [])) {
            (object, _) throws(BPFError) in
            try object.setReadOnlyData(".rodata.filter", to: filter)
        }
    }
}
