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
        // below all else, where it takes no row that is missed
        let hasFooter = height >= 16, height = hasFooter ? height - 1 : height
        func closed(_ lines: [Line]) -> [Line] {
            guard hasFooter else { return Array(lines.prefix(height)) }
            let empty = Line(text: "", isHeading: false)
            return lines.prefix(height) + Array(repeating: empty, count: max(0, height - lines.count))
                + [Line(text: clipped(footer, width), isHeading: true)]
        }
        guard let report else {
            add("cachetop: the first interval is not over yet")
            return closed(lines)
        }
        add(CacheTopText.title(report) + (state.isPaused ? " / Paused" : ""))
        let remarks = report.losses.lines.map { "lost: " + $0 } + [CacheTopText.remark(report)].compactMap { $0 }
        if state.isTyping {
            add("Filter: \(Printable.text(state.filter))_")
        } else if !state.filter.isEmpty {
            add("Filter: \(Printable.text(state.filter))  (Esc: none)")
        }
        add(CacheTopText.header(state.view, width: width), heading: true)
        let room = max(0, height - lines.count - (height > 6 ? remarks.count : 0))
        let wanted = state.filter.lowercased()
        var texts: [String] = []
        var passed = 0
        for row in report.rows {
            if texts.count >= room { break }
            let whole = CacheTopText.line(row, seesAccesses: report.seesAccesses, userName: userName)
            guard wanted.isEmpty || whole.lowercased().contains(wanted) else { continue }
            passed += 1
            guard passed > state.scroll else { continue }
            texts.append(
                CacheTopText.line(
                    row, seesAccesses: report.seesAccesses, width: width, sideways: state.sideways, userName: userName))
        }
        for text in texts { add(text) }
        if height > 6 { for remark in remarks { add(remark) } }
        return closed(lines)
    }

    static let help = [
        "cachetop: page cache hits and misses", "",
        "  p f c      processes, files, cgroups",
        "  < >        column to sort by", "  r          the other way round",
        "  /          only rows that contain a text; Esc: all",
        "  up, down   scroll; Home: back to the top", "  left,right sideways, in long names",
        "  space      pause, go on",
        "  q          quit", "",
        "READ_HIT%    of the pages accessed, those that were in the cache",
        "WRITE_HIT%   of the pages that became dirty, those that were in it before", "",
        "Any key goes back.",
    ]

    static let footer = "F1 help  </> sort  r order  p f c rows  / filter  space pause  q quit"

    /// The end of a name that has too little room, or, scrolled sideways, what is before it.
    ///
    /// - Parameter scrolledBy: characters behind what is shown.
    static func end(of name: String, _ room: Int, scrolledBy shift: Int) -> String {
        let characters = Array(name)
        guard room > 1, characters.reduce(0, { $0 + cells($1) }) > room else { return name }
        // no further than to the name's beginning
        let beginning = clipped(name, room - 1).count
        let last = max(beginning, characters.count - max(0, shift))
        var left = room - (last < characters.count ? 1 : 0)
        var first = last
        while first > 0, cells(characters[first - 1]) <= left - (first > 1 ? 1 : 0) {
            first -= 1
            left -= cells(characters[first])
        }
        return (first > 0 ? "…" : "") + String(characters[first..<last]) + (last < characters.count ? "…" : "")
    }

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
