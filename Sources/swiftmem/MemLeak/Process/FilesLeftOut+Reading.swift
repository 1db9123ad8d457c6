// SPDX-License-Identifier: Apache-2.0
internal import Reports
internal import Symbols
internal import SystemPackage

extension FilesLeftOut {
    /// What a run has left out so far.
    init(_ reading: FileReading) {
        let files = reading.omissions.map { omission in
            FileLeftOut(
                file: omission.path.description, part: omission.part.rawValue, reason: omission.reason.key,
                functions: omission.functions,
                words: omission.reason.words + "; " + omission.part.words(ofAll: omission.functions.isEmpty))
        }
        self.init(files: files, count: reading.omissionCount)
    }
}
