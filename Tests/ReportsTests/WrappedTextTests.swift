// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct WrappedTexts {
    private func word(_ length: Int) -> String { String(repeating: "x", count: length) }

    @Test("a line of 79 characters holds, one of 80 is broken")
    func width() {
        #expect(wrapped(word(39) + " " + word(39)) == [word(39) + " " + word(39)])
        #expect(wrapped(word(39) + " " + word(40)) == [word(39), "  " + word(40)])
        // what the lines begin with counts
        #expect(wrapped(word(36) + " " + word(39), first: "=> ") == ["=> " + word(36) + " " + word(39)])
        #expect(
            wrapped(word(37) + " " + word(39), first: "=> ", indent: "   ") == ["=> " + word(37), "   " + word(39)])
        let two = wrapped(word(60) + " " + word(40) + " " + word(36))
        #expect(two == [word(60), "  " + word(40) + " " + word(36)])
        #expect(wrapped(word(60) + " " + word(40) + " " + word(37)) == [word(60), "  " + word(40), "  " + word(37)])
    }

    @Test("a word that is longer than a line stays whole; blanks are one")
    func words() {
        #expect(wrapped(word(100) + " a") == [word(100), "  a"] && wrapped("a   b ") == ["a b"])
        #expect(wrapped("", first: "=> ").isEmpty)
    }

    @Test("ratios of pages: of nothing none, of equal numbers 0 or 1")
    func ratios() {
        #expect(PageCacheInterval().hitRatio == nil && PageCacheInterval().writeHitRatio == nil)
        #expect(PageCacheInterval(readAccess: 4, misses: 1).hitRatio == 0.75)
        #expect(PageCacheInterval(readAccess: 4, misses: 4).hitRatio == 0)
        #expect(
            PageCacheInterval(readAccess: 4, misses: 5).hitRatio == 0 && PageCacheInterval(readAccess: 1).hitRatio == 1)
        #expect(PageCacheInterval(dirty: 4, writeAllocated: 1).writeHitRatio == 0.75)
        #expect(PageCacheInterval(dirty: 4, writeAllocated: 5).writeHitRatio == 0)
        #expect(PageCacheInterval(dirty: 1).writeHitRatio == 1)
    }
}
