// SPDX-License-Identifier: Apache-2.0
import Reports
import Testing

@Suite struct Text {
    @Test("what is not printable is spelt out")
    func printable() {
        #expect(Printable.text("plain é 漢") == "plain é 漢")
        #expect(Printable.text("a\u{1b}[31mb\nc\td\r") == "a\\x1b[31mb\\nc\\td\\x0d")
        #expect(Printable.text("x\u{202e}y") == "x\\u{202e}y")
    }

    @Test(
        "fixed decimals as printf's",
        arguments: [
            (0.0, 2, "0.00"), (99.995, 2, "100.00"), (100.0, 2, "100.00"), (-0.001, 2, "0.00"),
            (-1.5, 0, "-2"), (2.5, 0, "2"), (1234.5678, 1, "1234.6"), (.infinity, 2, "?"), (.nan, 1, "?"),
        ])
    func decimals(value: Double, places: Int, text: String) {
        #expect(fixed(value, places) == text)
    }

    @Test func columns() {
        #expect("ab".right(4) == "  ab")
        #expect("ab".left(4) == "ab  ")
        #expect("abcdef".right(4) == "abcdef")
    }
}
