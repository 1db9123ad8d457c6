// SPDX-License-Identifier: Apache-2.0

extension String {
    /// Flush right in a field at least this wide, as `%8s` does.
    public func right(_ width: Int) -> String {
        let missing = width - count
        return missing > 0 ? String(repeating: " ", count: missing) + self : self
    }

    /// Flush left in a field at least this wide, as `%-8s` does.
    public func left(_ width: Int) -> String {
        let missing = width - count
        return missing > 0 ? self + String(repeating: " ", count: missing) : self
    }
}

/// A number with a fixed count of decimals, rounded half to even as printf does.
public func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return "?" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (abs(value) * scale).rounded(.toNearestOrEven)
    guard scaled < 9e15 else { return "?" }
    let digits = String(Int64(scaled))
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return sign + padded }
    return sign + padded.dropLast(decimals) + "." + padded.suffix(decimals)
}

/// A text in lines of less than 80 characters, broken at blanks.
///
/// - Parameters:
///   - first: what the first line begins with.
///   - indent: what the others begin with.
public func wrapped(_ text: String, first: String = "", indent: String = "  ") -> [String] {
    var lines: [String] = [], line = ""
    for word in text.split(separator: " ") {
        if line.isEmpty {
            line = first + word
        } else if line.count + 1 + word.count < 80 {
            line += " " + word
        } else {
            lines.append(line)
            line = indent + word
        }
    }
    return line.isEmpty ? lines : lines + [line]
}

/// A line of a table, made column by column, a blank between two.
///
/// One call a column: a chain of `+` over many strings takes Swift 6.2 minutes to type-check.
struct TableLine {
    private(set) var text = ""

    mutating func left(_ cell: String, _ width: Int) { add(cell.left(width)) }
    mutating func right(_ cell: String, _ width: Int) { add(cell.right(width)) }
    mutating func right(_ cells: [String], _ width: Int) { for cell in cells { right(cell, width) } }

    /// The last column: as wide as it is.
    mutating func add(_ cell: String) {
        if !text.isEmpty { text += " " }
        text += cell
    }
}
