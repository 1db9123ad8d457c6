// SPDX-License-Identifier: Apache-2.0
// Swift, optimised: closures, a protocol, a sort. Linked with hold.o.
import Glibc

@_silgen_name("leak_and_hold") func leakAndHold()

protocol Runner { func run(_ depth: Int) -> Int }
final class Chain: Runner {
    @inline(never) func run(_ depth: Int) -> Int {
        if depth == 0 { leakAndHold() }
        return depth == 0 ? 1 : run(depth - 1) + 1
    }
}
@inline(never) func apply(_ body: () -> Int) -> Int { body() + 1 }
@inline(never) func generic<T: Runner>(_ runner: T) -> Int { apply { runner.run(3) } + 1 }

print(#"{"type":"ready"}"#)
fflush(stdout)
_ = getchar()
switch CommandLine.arguments.dropFirst().first {
case "closure": print(generic(Chain()))
case "sort": print([3, 1, 2].sorted { a, b in apply { Chain().run(1) } > 0 && a < b })
case "map": print([1, 2].map { depth in apply { Chain().run(depth) } })
default: break
}
