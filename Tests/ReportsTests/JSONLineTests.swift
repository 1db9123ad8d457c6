// SPDX-License-Identifier: Apache-2.0
import Reports
import Testing

@Suite struct JSONLines {
    @Test("keys in order, numbers exact, missing values null")
    func shape() {
        var line = JSONLine(type: "x")
        line.add("a", UInt64.max)
        line.add("b", Int?.none)
        line.add("c", 0.5)
        line.add("d", Double.nan)
        line.add("e", ["p", "q\""])
        line.add("f", true)
        var inner = JSONLine()
        inner.add("g", -1)
        line.add("h", inner)
        #expect(
            line.text()
                == #"{"type":"x","a":18446744073709551615,"b":null,"c":0.5,"d":null,"e":["p","q\""],"f":true,"h":{"g":-1}}"#
        )
    }

    @Test("what a terminal or an editor may obey is escaped: C1 controls, direction overrides, tags beyond 16 bits")
    func invisible() {
        var line = JSONLine()
        line.add("s", "a\u{9b}31m\u{85}\u{202e}b\u{2066}\u{2028}\u{feff}\u{e0041}ж😀")
        #expect(
            line.text()
                == #"{"s":"a\u009b31m\u0085\u202eb\u2066\u2028\ufeff\udb40\udc41ж😀"}"#)
    }

    @Test("control characters are escaped, bytes that are no UTF-8 replaced")
    func escapes() {
        var line = JSONLine()
        line.add("s", "a\u{1b}[0m\n\t\\\u{7f}é")
        line.add("t", String(decoding: [0x61, 0xff] as [UInt8], as: UTF8.self))
        #expect(line.text() == #"{"s":"a\u001b[0m\n\t\\\u007fé","t":"a"# + "\u{fffd}" + #""}"#)
    }
}
