// SPDX-License-Identifier: Apache-2.0
internal import Reports

/// Says once, at the first loss, that the map of outstanding allocations is full.
struct FullMapNotice {
    private var isSaid = false

    /// - Returns: what to say; nil: nothing is lost, or it has been said.
    mutating func words(_ losses: Losses) -> String? {
        guard losses.mapFull > 0, !isSaid else { return nil }
        isSaid = true
        return "allocations are not recorded any more: the map of outstanding ones is full; "
            + "--max-allocations makes it larger"
    }
}
