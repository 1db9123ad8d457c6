// SPDX-License-Identifier: Apache-2.0

extension Doctor {
    static let guide = Guide(
        examples: [
            .init("doctor", "does it work here? In a line, and one for each tool"),
            .init("doctor --all", "each hook, and why not another"),
            .init("doctor memleak", "all of one tool"),
            .init("doctor --json", "for a program"),
        ],
        overhead: "Each tool's programs are loaded and attached for a moment: a second or two in all.",
        seeAlso: ["capabilities(7)", "bpf(2)"])
}
