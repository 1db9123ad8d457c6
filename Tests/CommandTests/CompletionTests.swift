// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Testing

@testable import swiftmem

@Suite struct Completions {
    private let offer = CompletionOffer([
        .init(value: "10", hint: "init"), .init(value: "12", hint: "a b:c\n"), .init(value: "120"),
        .init(value: "7", hint: "x"),
    ])

    @Test("zsh and fish take a value's hint behind it")
    func hints() {
        #expect(offer.lines(for: .zsh, prefix: "") == ["10:init", "12:a_b_c_", "120", "7:x"])
        #expect(offer.lines(for: .fish, prefix: "1") == ["10\tinit", "12\ta_b_c_", "120"])
        #expect(offer.lines(for: nil, prefix: "1") == ["10", "12", "120"])
    }

    @Test("bash is given hints where it lists values, and none where it puts one in")
    func bash() {
        let listed = ["10  init", "12  a_b_c_", "120"]
        for type in ["9", "33", "63", "64"] {
            #expect(offer.lines(for: .bash, prefix: "1", bash: type) == listed, "\(type)")
            // one alone is put in
            #expect(offer.lines(for: .bash, prefix: "7", bash: type) == ["7"], "\(type)")
        }
        // menu completion, and a script that does not tell
        for type in ["37", "42", "", nil] {
            #expect(offer.lines(for: .bash, prefix: "1", bash: type) == ["10", "12", "120"])
        }
    }

    @Test(
        "what a shell would expand is not offered",
        arguments: [
            "$(reboot)", "`reboot`", "a b", "a;b", "a\nb", "a\tb", "$HOME", "~root", "{a,b}", "*", "a?", "[ab]",
            "\\x2d",
            "it's", "\"", "a:b", "a=b", "a|b", "a&b", "<a", "#a", "!a", "", "\u{202e}a", "é", "\u{fffd}",
        ])
    func hostile(value: String) {
        for shell in [CompletionShell.bash, .zsh, .fish] {
            #expect(CompletionOffer([.init(value: value)]).lines(for: shell, prefix: "") == [])
        }
    }

    @Test("a hint has nothing in it that a shell would expand")
    func hostileHint() {
        let offer = CompletionOffer([.init(value: "1", hint: "$(reboot)"), .init(value: "2", hint: "`x`")])
        #expect(offer.lines(for: .bash, prefix: "", bash: "9") == ["1  __reboot_", "2  _x_"])
    }

    @Test("no more are offered than a shell can show")
    func many() {
        let offer = CompletionOffer((0..<5000).map { .init(value: "\($0)") })
        #expect(offer.lines(for: .zsh, prefix: "").count == CompletionOffer.limit)
    }

    @Test("what a completion script asks is the parser's")
    func asked() throws {
        let words = ["---completion", "memleak", "--", "--pid", "3", "0", "swiftmem", "memleak", "-p", ""]
        #expect(try Call(words).words == words)
    }

    @Test("every option that names a process, a cgroup or a file completes its value")
    func complete() {
        // as fish's script shows them: an option whose values are asked for, listed, or files
        let script = Swiftmem.completionScript(for: .fish)
        var seen: Set<String> = []
        for line in script.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard let index = words.firstIndex(of: "-l"), index + 1 < words.count else { continue }
            let name = words[index + 1].filter { $0 != "'" }
            guard Self.completed.contains(name) else { continue }
            seen.insert(name)
            #expect(words.contains { ["-rfka", "-rfa", "-rF"].contains($0) }, "\(line)")
        }
        #expect(seen == Self.completed)
    }

    private static let completed: Set<String> = [
        "pid", "tid", "comm", "cgroup", "cache", "sort", "by", "btf", "flamegraph", "record", "replay", "explain",
        "from",
    ]
}
