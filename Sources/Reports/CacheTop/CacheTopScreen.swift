// SPDX-License-Identifier: Apache-2.0

/// cachetop's full screen as lines, for any size.
public enum CacheTopScreen {
    /// A line; headings are shown in reverse.
    public struct Line: Hashable, Sendable {
        public let text: String
        public let isHeading: Bool
    }

    /// At most `height` lines of at most `width` cells.
    ///
    /// - Parameter report: of the last interval, its rows in the view and order of the state;
    ///   nil before the first interval is over.
    public static func lines(
        _ report: CacheTopReport?, _ state: CacheTopScreenState, width: Int, height: Int,
        userName: (UInt32) -> String
    ) -> [Line] {
        guard width > 0, height > 0 else { return [] }
        var lines: [Line] = []
        func add(_ text: String, heading: Bool = false) {
            lines.append(Line(text: clipped(text, width), isHeading: heading))
        }
        if state.showsHelp {
            for text in help { add(text) }
            return Array(lines.prefix(height))
        }
        guard let report else {
            add("cachetop: the first interval is not over yet")
            return lines
        }
        add(CacheTopText.title(report) + (state.isPaused ? " / Paused" : ""))
        let remarks = report.losses.lines.map { "lost: " + $0 } + [CacheTopText.remark(report)].compactMap { $0 }
        if state.isTyping {
            add("Filter: \(Printable.text(state.filter))_")
        } else if !state.filter.isEmpty {
            add("Filter: \(Printable.text(state.filter))  (Esc: none)")
        }
        add(CacheTopText.header(state.view), heading: true)
        let room = max(0, height - lines.count - (height > 6 ? remarks.count : 0))
        let wanted = state.filter.lowercased()
        var texts: [String] = []
        var passed = 0
        for row in report.rows {
            if texts.count >= room { break }
            let text = CacheTopText.line(row, seesAccesses: report.seesAccesses, userName: userName)
            guard wanted.isEmpty || text.lowercased().contains(wanted) else { continue }
            passed += 1
            if passed > state.scroll { texts.append(text) }
        }
        for text in texts { add(text) }
        if height > 6 { for remark in remarks { add(remark) } }
        return Array(lines.prefix(height))
    }

    static let help = [
        "cachetop: page cache hits and misses", "",
        "  p f c      processes, files, cgroups",
        "  < >        column to sort by", "  r          the other way round",
        "  /          only rows that contain a text; Esc: all",
        "  up, down   scroll; Home: back to the top", "  space      pause, go on",
        "  q          quit", "",
        "READ_HIT%    of the pages accessed, those that were in the cache",
        "WRITE_HIT%   of the pages that became dirty, those that were in it before", "",
        "Any key goes back.",
    ]

    /// As much of a text as fits into so many cells.
    public static func clipped(_ text: String, _ width: Int) -> String {
        var cells = 0
        var end = text.startIndex
        for index in text.indices {
            cells += self.cells(text[index])
            if cells > width { break }
            end = text.index(after: index)
        }
        return String(text[..<end])
    }

    /// A character's width on a terminal: East Asian wide ones and pictures take two.
    static func cells(_ character: Character) -> Int {
        // a character has one scalar at least
        let scalars = character.unicodeScalars
        switch scalars[scalars.startIndex].value {
        case 0x300...0x36f: return 0
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff,
            0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f,
            0x1f680...0x1f6ff, 0x1f900...0x1f9ff, 0x20000...0x3fffd:
            return 2
        default: return 1
        }
    }
}
