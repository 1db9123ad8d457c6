// SPDX-License-Identifier: Apache-2.0

extension FlameGraph {
    static let style = """
        :root { color-scheme: light dark; background: #fff; }
        text { font: 12px ui-monospace, monospace; fill: #1d1d1f; }
        .paper { fill: #fff; } .head { font-size: 14px; font-weight: bold; } .note { fill: #555; }
        .key { cursor: pointer; fill: #0b57d0; } .key.on { font-weight: bold; text-decoration: underline; }
        .f { cursor: pointer; } .f rect { stroke: #fff; stroke-width: .5; } .f text { pointer-events: none; }
        .h0 { fill: #f4c27a; } .h1 { fill: #f2b366; } .h2 { fill: #f6cf95; } .h3 { fill: #efaa6b; }
        .h4 { fill: #f0c089; } .h5 { fill: #f5b98a; } .h6 { fill: #ecc375; } .h7 { fill: #f3c9a0; }
        .leak rect { fill: #e8776b; } .f.holds rect { stroke: #c8372b; } .f.dim { opacity: .55; } .f.hit rect { fill: #9b6be8; }
        @media (prefers-color-scheme: dark) {
        :root { background: #16161a; } text { fill: #e8e8ea; } .f text { fill: #16161a; } .paper { fill: #16161a; } .note { fill: #a0a0a8; }
        .key { fill: #8ab4f8; } .f rect { stroke: #16161a; } .f.holds rect { stroke: #d9483b; stroke-width: 1; } }
        """

    /// data-p has where a frame begins and how wide it is, by bytes, by allocations and by growth.
    static let script = """
        let by = 0, from = 0, to = 1, floor = 0, frames = [];
        const id = name => document.getElementById(name);
        function start() {
          const all = id("frames");
          const height = +all.dataset.height, row = +all.dataset.row, width = +all.dataset.width;
          for (const g of all.querySelectorAll("g.f")) {
            const p = g.dataset.p.split(" ").map(Number);
            frames.push({g, p, d: +g.dataset.d, n: g.dataset.n, rect: g.querySelector("rect"), text: g.querySelector("text")});
          }
          function draw() {
            for (const f of frames) {
              const x = f.p[2 * by], w = f.p[2 * by + 1], e = 1e-7;
              const seen = w > 0 && x < to - e && x + w > from + e;
              const left = Math.max(0, (x - from) / (to - from)) * width;
              const right = Math.min(1, (x + w - from) / (to - from)) * width;
              const px = right - left;
              f.g.style.display = seen && px > 0.2 ? "" : "none";
              if (!seen) continue;
              const y = height - (f.d + 1) * row;
              f.rect.setAttribute("x", left); f.rect.setAttribute("y", y);
              f.rect.setAttribute("width", px); f.rect.setAttribute("height", row - 1);
              const room = Math.floor((px - 6) / 7.3);
              f.text.textContent = room < 3 ? "" : f.n.length <= room ? f.n : f.n.slice(0, room - 1) + "…";
              f.text.setAttribute("x", left + 3); f.text.setAttribute("y", y + row - 5);
              f.g.classList.toggle("dim", f.d < floor);
            }
            for (const n of [0, 1, 2]) id("by-" + n).classList.toggle("on", n === by);
          }
          function zoom(f) {
            from = f ? f.p[2 * by] : 0; to = f ? from + f.p[2 * by + 1] : 1; floor = f ? f.d : 0; draw();
          }
          function search(words) {
            let pattern = null, sum = 0, end = -1;
            try { pattern = words ? new RegExp(words, "i") : null; } catch { pattern = null; }
            for (const f of frames) f.g.classList.toggle("hit", !!pattern && pattern.test(f.n));
            const hits = frames.filter(f => f.g.classList.contains("hit"));
            hits.sort((a, b) => a.p[2 * by] - b.p[2 * by] || a.d - b.d);
            for (const f of hits) {
              const x = f.p[2 * by], w = f.p[2 * by + 1];
              if (x >= end - 1e-9) { sum += w; end = x + w; }
            }
            id("found").textContent = words ? (sum * 100).toFixed(1) + " % has " + words : "";
          }
          const ask = () => search(prompt("Names that have (a regular expression):") || "");
          for (const f of frames) {
            f.g.addEventListener("click", () => zoom(f));
            f.g.addEventListener("mouseover", () => { id("detail").textContent = f.n + ": " + f.g.dataset.t; });
          }
          for (const n of [0, 1, 2]) id("by-" + n).addEventListener("click", () => { by = n; zoom(null); });
          id("reset").addEventListener("click", () => zoom(null));
          id("search").addEventListener("click", ask);
          addEventListener("keydown", event => {
            if ((event.ctrlKey || event.metaKey) && event.key === "f") { event.preventDefault(); ask(); }
            if (event.key === "Escape") zoom(null);
          });
          window.swiftmem = {search, zoom, frames};
          draw();
        }
        """
}
