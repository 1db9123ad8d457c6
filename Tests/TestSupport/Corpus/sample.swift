// SPDX-License-Identifier: Apache-2.0
struct Crate<Item> {
    var items: [Item] = []
    @inline(never) mutating func add(_ item: Item, label: String) { items.append(item) }
}

final class Keeper {
    var crate = Crate<Int>()
    @inline(never) func keep(_ number: Int) -> Int {
        crate.add(number, label: "n")
        return crate.items.count
    }
}

@main enum Sample {
    static func main() {
        print(Keeper().keep(CommandLine.arguments.count))
    }
}
