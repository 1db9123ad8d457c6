// SPDX-License-Identifier: Apache-2.0

/// What the user of the full screen has chosen, and what each key does to it.
public struct CacheTopScreenState: Hashable, Sendable {
    public var view: CacheTopView
    public var order: CacheTopOrder
    /// Only rows that contain this, whatever the case.
    public var filter = ""
    /// The filter is being typed.
    public var isTyping = false
    public var isPaused = false
    public var showsHelp = false
    /// Rows scrolled away at the top.
    public var scroll = 0

    public init(view: CacheTopView = .process, order: CacheTopOrder = CacheTopOrder()) {
        self.view = view
        self.order = order
    }

    /// What a key asks for, beyond another picture.
    public enum Effect: Sendable { case none, redraw, quit }

    /// Takes a key.
    public mutating func press(_ key: TerminalKey) -> Effect {
        if isTyping { return type(key) }
        if showsHelp {
            showsHelp = false
            return key == .text("q") ? .quit : .redraw
        }
        switch key {
        case .text("q"), .text("Q"): return .quit
        case .text("<"), .left: moveColumn(-1)
        case .text(">"), .right: moveColumn(1)
        case .text("r"): order.descending.toggle()
        case .text("p"): show(.process)
        case .text("f"): show(.file)
        case .text("c"): show(.cgroup)
        case .text("/"): isTyping = true
        case .text(" "): isPaused.toggle()
        case .text("?"), .text("h"): showsHelp = true
        case .up: scroll = max(0, scroll - 1)
        case .down: scroll += 1
        case .pageUp: scroll = max(0, scroll - 10)
        case .pageDown: scroll += 10
        case .home: scroll = 0
        case .escape: filter = ""
        default: return .none
        }
        return .redraw
    }

    private mutating func show(_ view: CacheTopView) {
        self.view = view
        scroll = 0
        if !Self.columns(view).contains(order.column) { order.column = .hits }
    }

    private mutating func type(_ key: TerminalKey) -> Effect {
        switch key {
        case .enter: isTyping = false
        case .escape:
            isTyping = false
            filter = ""
        case .backspace: _ = filter.popLast()
        case .text(let text) where filter.count < 64: filter += text
        default: return .none
        }
        scroll = 0
        return .redraw
    }

    private mutating func moveColumn(_ step: Int) {
        let columns = Self.columns(view)
        let index = columns.firstIndex(of: order.column) ?? 0
        order.column = columns[(index + step + columns.count) % columns.count]
    }

    static func columns(_ view: CacheTopView) -> [CacheTopColumn] {
        view == .process
            ? CacheTopColumn.allCases : [.hits, .misses, .dirties, .readHit, .writeHit, .cmd]
    }
}

/// A key, or several bytes that a terminal sends for one.
public enum TerminalKey: Hashable, Sendable {
    case text(String)
    case enter, escape, backspace
    case up, down, left, right, pageUp, pageDown, home, end

    /// Cuts what a terminal sent into keys; what means nothing here is left out.
    public static func keys(_ bytes: [UInt8]) -> [TerminalKey] {
        var keys: [TerminalKey] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            switch byte {
            case 0x1b:
                // ESC [ or ESC O, parameters, a final byte
                guard let next = rest.first, next == UInt8(ascii: "[") || next == UInt8(ascii: "O")
                else {
                    keys.append(.escape)
                    continue
                }
                rest.removeFirst()
                let parameters = rest.prefix { $0 < 0x40 }
                rest = rest.dropFirst(parameters.count)
                guard let final = rest.popFirst() else { continue }
                if let key = special(final, String(decoding: parameters, as: UTF8.self)) {
                    keys.append(key)
                }
            case 0x0d, 0x0a: keys.append(.enter)
            case 0x7f, 0x08: keys.append(.backspace)
            case 0..<0x20: continue
            case 0..<0x80: keys.append(.text(String(UnicodeScalar(byte))))
            default:
                let more = rest.prefix { $0 & 0xc0 == 0x80 }
                rest = rest.dropFirst(more.count)
                let text = String(decoding: [byte] + more, as: UTF8.self)
                if text.count == 1, !text.contains("\u{fffd}") { keys.append(.text(text)) }
            }
        }
        return keys
    }

    private static func special(_ final: UInt8, _ parameters: String) -> TerminalKey? {
        switch (final, parameters) {
        case (UInt8(ascii: "A"), _): .up
        case (UInt8(ascii: "B"), _): .down
        case (UInt8(ascii: "C"), _): .right
        case (UInt8(ascii: "D"), _): .left
        case (UInt8(ascii: "H"), _), (UInt8(ascii: "~"), "1"): .home
        case (UInt8(ascii: "F"), _), (UInt8(ascii: "~"), "4"): .end
        case (UInt8(ascii: "~"), "5"): .pageUp
        case (UInt8(ascii: "~"), "6"): .pageDown
        default: nil
        }
    }
}

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
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x300...0x36f: return 0
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff,
            0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f,
            0x1f680...0x1f6ff, 0x1f900...0x1f9ff, 0x20000...0x3fffd:
            return 2
        default: return 1
        }
    }
}
