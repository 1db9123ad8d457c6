// SPDX-License-Identifier: Apache-2.0

/// Turns the records of a recording into what the run showed.
public struct LeakPlayer: Sendable {
    /// An output of the run.
    public enum Scene: Hashable, Sendable {
        case began(LeakBegin)
        case hooked(LeakHooked)
        case report(MemLeakReport)
        /// For standard error.
        case note(String)
        case sampling(LeakSampling)
        case end(isFull: Bool)
    }

    private let options: LeakViewOptions
    private let wantsAll: Bool
    private var sites: [AllocationSite: LeakSite] = [:]
    /// nil: before the first record.
    public private(set) var view: LeakView?

    /// - Parameter wantsAll: all stacks are wanted, for files of other tools.
    public init(_ options: LeakViewOptions, wantsAll: Bool) { (self.options, self.wantsAll) = (options, wantsAll) }

    /// Takes a record in.
    ///
    /// - Returns: the output that it leads to; nil: none.
    public mutating func play(_ record: LeakRecord) -> Scene? {
        switch record {
        case .run(let run): view = LeakView(run, options, wantsAll: wantsAll)
        case .began(let begin): return .began(begin)
        case .hooked(let hooked): return .hooked(hooked)
        case .site(let captured, let site): sites[captured] = site
        case .look(let look):
            let sites = sites
            view?.take(look) { captured in sites[captured] ?? LeakSite() }
        case .report(let moment, let names):
            let sites = sites
            let report = view?.report(moment, comm: { names[$0] }, site: { captured in sites[captured] ?? LeakSite() })
            return report.map { .report($0) }
        case .gone(let pid): view?.forget(pid)
        case .baseline(let time): view?.setBaseline(at: time)
        case .note(let text): return .note(text)
        case .sampling(let sampling): return .sampling(sampling)
        case .end(let isFull): return .end(isFull: isFull)
        }
        return nil
    }
}
