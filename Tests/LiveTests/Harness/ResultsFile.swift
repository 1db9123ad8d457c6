// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The lines that the kernel matrix collects, in the file that `SWIFTMEM_RESULTS` names (Docs/testing-kernels.md).
enum ResultsFile {
    enum Status: String { case pass, fail, unsupported }

    static func append(_ tool: String, _ rung: String, _ test: String, _ status: Status, _ detail: String) {
        append([tool, rung, test, status.rawValue, detail])
    }

    /// How many instructions the verifier looked at in a program.
    static func append(verifier object: String, _ program: String, _ instructions: Int) {
        append(["verifier", object, program, "\(instructions)"])
    }

    private static func append(_ fields: [String]) {
        guard let path = ProcessInfo.processInfo.environment["SWIFTMEM_RESULTS"],
            let file = FileHandle(forWritingAtPath: path)
        else { return }
        let line = fields.map { $0.replacing(/[\t\n]/, with: " ") }.joined(separator: "\t") + "\n"
        file.seekToEndOfFile()
        file.write(Data(line.utf8))
        try? file.close()
    }
}
