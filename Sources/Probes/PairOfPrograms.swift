// SPDX-License-Identifier: Apache-2.0

/// Two programs for one event, of which the second sees what the kernel skipped the first for (BPF/lib/twice.h).
public enum PairOfPrograms {
    /// Read-only data of objects with pairs: not 0 where the seconds are attached.
    static let setting = ".rodata.twice"
    /// Where a first leaves its mark for the second; omitted where no second is attached.
    static let marks = "first_runs"

    /// The name that the second one of a pair has: `EVENT_second_MECHANISM` behind `EVENT_MECHANISM`; nil for a second.
    public static func second(of first: String) -> String? {
        guard let dash = first.lastIndex(of: "_"), !first[..<dash].hasSuffix("_second") else { return nil }
        return first[..<dash] + "_second" + first[dash...]
    }
}
