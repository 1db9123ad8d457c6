// SPDX-License-Identifier: Apache-2.0
import Reports
import SchemaSupport
import Testing

extension JSONLine {
    /// The record's text, held against the schema of its type.
    func checkedText(at location: SourceLocation = #_sourceLocation) -> String {
        let text = text()
        for finding in RecordLine.findings(in: text) { Issue.record("\(finding)", sourceLocation: location) }
        return text
    }
}
