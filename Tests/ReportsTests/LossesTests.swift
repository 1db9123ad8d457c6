// SPDX-License-Identifier: Apache-2.0
import Reports
import Testing

@Suite struct Loss {
    @Test("each of the kernel side's causes has its words")
    func causes() {
        #expect(Losses.causes.count == Losses.kernelCauses)
        #expect(Set(Losses.causes.map(\.key)).count == Losses.causes.count)
    }

    @Test("zero is not printed, and always in JSON")
    func lines() {
        let losses = Losses(counts: [3])
        #expect(losses.lines == ["3 events lost: the ring buffer was full"])
        #expect(Losses().lines.isEmpty)
        #expect(losses.json.text().hasPrefix(#"{"ring_full":3,"map_full":0,"#))
        #expect(Losses(counts: [5, 1]).since(losses).counts.prefix(2) == [2, 1])
        #expect(losses.total == 3)
    }
}
