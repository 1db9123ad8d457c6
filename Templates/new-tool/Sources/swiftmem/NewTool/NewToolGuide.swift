// SPDX-License-Identifier: Apache-2.0

extension NewTool {
    static let guide = Guide(
        examples: [
            .init("newtool", "a report a second, until Ctrl-C"),
            .init("newtool -T 5 12", "a minute in reports of five seconds, each with the time"),
            .init("newtool -p 1234 --json", "one process, for a program"),
        ],
        overhead: "Not measured yet.",
        seeAlso: ["ps(1)"])
}
