// SPDX-License-Identifier: Apache-2.0

/// A flame graph in one SVG file, without anything from elsewhere: outermost frames at the bottom, a frame as wide as what is
/// outstanding from it. It zooms at a click, finds names, and goes by bytes, allocations or growth.
struct FlameGraph: LeakRenderer {
    static let width = 1200
    static let rowHeight = 18
    /// Narrower ones are left out: shares of the whole.
    private static let narrowest = 0.0003

    func render(_ profile: LeakProfile) -> [UInt8] {
        let root = FlameNode(profile)
        var rects: [String] = []
        var deepest = 0
        add(root, depth: 0, offsets: (0, 0, 0), whole: root, to: &rects, &deepest)
        let top = 60, height = top + (deepest + 1) * Self.rowHeight + 30
        var svg = """
            <?xml version="1.0" encoding="UTF-8"?>
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Self.width)" height="\(height)" \
            viewBox="0 0 \(Self.width) \(height)" onload="start()">
            <title>memleak of \(Self.text(profile.target)), \(Self.text(profile.time.rfc3339))</title>
            <style>\(Self.style)</style>
            <rect class="paper" width="100%" height="100%"/>
            <text class="head" x="10" y="22">outstanding memory of \(Self.text(profile.target)): \
            \(profile.bytes) bytes in \(profile.count) allocations</text>
            <text class="key" x="10" y="44" id="by-0">bytes</text>
            <text class="key" x="70" y="44" id="by-1">allocations</text>
            <text class="key" x="170" y="44" id="by-2">growth</text>
            <text class="key" x="240" y="44" id="reset">whole</text>
            <text class="key" x="300" y="44" id="search">search (Ctrl-F)</text>
            <text class="note" x="\(Self.width - 10)" y="44" text-anchor="end" id="found"></text>
            <text class="note" x="10" y="\(height - 10)" id="detail"> </text>
            \(root.hasLeak ? Self.legend(y: height - 10) : "")
            <g id="frames" data-height="\(height - 30)" data-row="\(Self.rowHeight)" data-width="\(Self.width)">

            """
        svg += rects.joined()
        svg += "</g>\n<script><![CDATA[\(Self.script)]]></script>\n</svg>\n"
        return Array(svg.utf8)
    }

    private static func legend(y: Int) -> String {
        "<text class=\"note\" x=\"\(width - 10)\" y=\"\(y)\" text-anchor=\"end\">"
            + "red: leaks, half of it or more; red edge: some of it does</text>"
    }

    /// A frame and those above it.
    ///
    /// - Parameter offsets: where it begins, by each measure, in shares of the whole.
    private func add(
        _ node: FlameNode, depth: Int, offsets: (Double, Double, Double), whole: FlameNode, to rects: inout [String],
        _ deepest: inout Int
    ) {
        let shares = (
            Double(node.bytes) / Double(max(1, whole.bytes)), Double(node.count) / Double(max(1, whole.count)),
            whole.growth > 0 ? node.growth / whole.growth : 0
        )
        guard max(shares.0, shares.1, shares.2) >= Self.narrowest else { return }
        deepest = max(deepest, depth)
        let places = [(offsets.0, shares.0), (offsets.1, shares.1), (offsets.2, shares.2)]
            .map { "\(Self.number($0.0)) \(Self.number($0.1))" }.joined(separator: " ")
        let detail = "\(node.bytes) bytes in \(node.count) allocations, \(MemLeakText.signed(node.growth)) bytes/s"
        let name = Self.text(node.name)
        rects.append(
            "<g class=\"f\(node.leaks ? " leak" : node.hasLeak ? " holds" : "")\" data-d=\"\(depth)\" data-p=\"\(places)\" "
                + "data-n=\"\(name)\" data-t=\"\(detail)\"><title>\(name): \(detail)</title>"
                + "<rect class=\"h\(Self.hue(node.name))\"/><text/></g>\n")
        var next = offsets
        for child in node.sorted {
            add(child, depth: depth + 1, offsets: next, whole: whole, to: &rects, &deepest)
            next.0 += Double(child.bytes) / Double(max(1, whole.bytes))
            next.1 += Double(child.count) / Double(max(1, whole.count))
            if whole.growth > 0 { next.2 += child.growth / whole.growth }
        }
    }

    private static func number(_ share: Double) -> String { "\((share * 1_000_000).rounded() / 1_000_000)" }

    /// One of eight colours, the same for a name in every picture.
    private static func hue(_ name: String) -> Int {
        Int(name.utf8.reduce(UInt32(7)) { ($0 &* 31) &+ UInt32($1) } % 8)
    }

    /// Fit for XML, in quotes too.
    static func text(_ text: String) -> String {
        var escaped = ""
        for character in Printable.text(text) {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
