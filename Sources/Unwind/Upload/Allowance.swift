// SPDX-License-Identifier: Apache-2.0

/// A number of things a second, not more.
struct Allowance {
    let perSecond: Int
    private var begun = ContinuousClock.now
    private var count = 0

    init(perSecond: Int) { self.perSecond = perSecond }

    mutating func allows() -> Bool {
        if begun.duration(to: .now) >= .seconds(1) {
            begun = .now
            count = 0
        }
        count += 1
        return count <= perSecond
    }
}
