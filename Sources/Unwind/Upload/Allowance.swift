// SPDX-License-Identifier: Apache-2.0

/// A number of things a second, not more.
struct Allowance {
    let perSecond: Int
    private var begun: ContinuousClock.Instant
    private var count = 0

    init(perSecond: Int, from begun: ContinuousClock.Instant = .now) {
        self.perSecond = perSecond
        self.begun = begun
    }

    mutating func allows(at now: ContinuousClock.Instant = .now) -> Bool {
        if begun.duration(to: now) >= .seconds(1) {
            begun = now
            count = 0
        }
        count += 1
        return count <= perSecond
    }
}
