// SPDX-License-Identifier: Apache-2.0
import Probes
import Testing

/// The first and the last kernel of a range, and those beside them.
@Suite struct KernelRangeTests {
    private let range = KernelRange.from(5, 12, "a").through(6, 4, "b")

    @Test("a range has both its ends")
    func contains() {
        let versions = [(5, 11), (5, 12), (5, 13), (6, 3), (6, 4), (6, 5)].map { KernelVersion($0.0, $0.1) }
        #expect(versions.map(range.contains) == [false, true, true, true, true, false])
        #expect(versions.allSatisfy(KernelRange.all.contains))
        #expect(versions.map(KernelRange.from(6, 4, "a").contains) == [false, false, false, false, true, true])
        #expect(versions.map(KernelRange.through(5, 12, "b").contains) == [true, true, false, false, false, false])
    }

    @Test("a refusal says which end is passed; backported ones refuse nothing")
    func refusals() {
        #expect(range.refusal(on: KernelVersion(5, 12)) == nil && range.refusal(on: KernelVersion(6, 4)) == nil)
        #expect(range.refusal(on: KernelVersion(5, 11)) == "true from Linux 5.12 on (a), this is 5.11")
        #expect(range.refusal(on: KernelVersion(6, 5)) == "true up to Linux 6.4 (b), this is 6.5")
        #expect(KernelRange.from(6, 1, "a", orBackported: true).refusal(on: KernelVersion(5, 1)) == nil)
    }

    @Test("a range of one kernel is not empty, one that ends before it begins is")
    func empty() {
        #expect(!KernelRange.from(6, 4, "a").through(6, 4, "b").isEmpty)
        #expect(KernelRange.from(6, 5, "a").through(6, 4, "b").isEmpty)
        #expect(
            !KernelRange.all.isEmpty && !KernelRange.from(6, 4, "a").isEmpty && !KernelRange.through(6, 4, "b").isEmpty)
        #expect(KernelRange.from(6, 4, "a").through(6, 4, "b").description == "6.4")
    }
}
