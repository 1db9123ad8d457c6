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
    /// Characters by which long names are scrolled away from their ends.
    public var sideways = 0

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
        case .text("<"): moveColumn(-1)
        case .text(">"): moveColumn(1)
        case .left: sideways = min(4096, sideways + 8)
        case .right: sideways = max(0, sideways - 8)
        case .text("r"): order.descending.toggle()
        case .text("p"): show(.process)
        case .text("f"): show(.file)
        case .text("c"): show(.cgroup)
        case .text("/"): isTyping = true
        case .text(" "): isPaused.toggle()
        case .text("?"), .text("h"), .help: showsHelp = true
        case .up: scroll = max(0, scroll - 1)
        case .down: scroll += 1
        case .pageUp: scroll = max(0, scroll - 10)
        case .pageDown: scroll += 10
        case .home: (scroll, sideways) = (0, 0)
        case .escape: filter = ""
        default: return .none
        }
        return .redraw
    }

    private mutating func show(_ view: CacheTopView) {
        self.view = view
        (scroll, sideways) = (0, 0)
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
