// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Unwind

@Suite struct AllowanceTests {
    @Test("so many a second, anew from the second on")
    func seconds() {
        let begun = ContinuousClock.now
        var allowance = Allowance(perSecond: 2, from: begun)
        func allowed(after milliseconds: Int) -> Bool { allowance.allows(at: begun + .milliseconds(milliseconds)) }
        #expect([0, 1, 2, 999].map(allowed) == [true, true, false, false])
        #expect([1000, 1001, 1999].map(allowed) == [true, true, false])
        #expect(allowed(after: 2000))
    }
}
