// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

#if canImport(Glibc)
    import Glibc
#endif

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let cStrict: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]

/// 120 000 relocations in 30 KB, not 3 MB, which glibc reads since 2.36.
var packedRelocations: [String] {
    #if canImport(Glibc)
        // "glibc 2.36"
        var text = [CChar](repeating: 0, count: 64)
        let length = confstr(Int32(_CS_GNU_LIBC_VERSION), &text, text.count)
        let words = String(decoding: text.prefix(max(0, length - 1)).map { UInt8(bitPattern: $0) }, as: UTF8.self).split
        { " .".contains($0) }
        let version = words.compactMap { Int($0) }
        if version.lexicographicallyPrecedes([2, 36]) { return [] }
        return ["-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"]
    #else
        return []
    #endif
}

// lld finds symbols in archives whatever their order; the other linkers want every
// archive behind all that use it, which targets can't promise each other.
let link: [LinkerSetting] = [
    .unsafeFlags(["-use-ld=lld"]),
    // what is installed carries no symbols and nothing that nobody calls
    .unsafeFlags(["-Xlinker", "--gc-sections", "-Xlinker", "-s"] + packedRelocations, .when(configuration: .release)),
]

/// The programs whose truth the live tests know.
let workloads = ["oomhog", "pagecache", "swapper", "shmcalls", "leaker", "mallocpairs", "kholder", "calls"]

let package = Package(
    name: "swiftmem",
    products: [
        .executable(name: "swiftmem", targets: ["swiftmem"]),
        .library(name: "LibBPF", targets: ["LibBPF"]),
        .library(name: "MemoryTools", targets: ["MemoryTools"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
    ],
    targets: [
        // `:libbpf.a` asks the linker for that very file: the archives, not the shared libraries.
        .target(
            name: "CElfutils", cSettings: cStrict,
            linkerSettings: [
                .linkedLibrary(":libelf.a"), .linkedLibrary(":libz.a"),
                // newer elfutils than Debian 12's read sections compressed by it too
                .linkedLibrary(":libzstd.a"),
            ]),
        .target(
            name: "CLibbpf", dependencies: ["CElfutils"], cSettings: cStrict,
            linkerSettings: [.linkedLibrary(":libbpf.a")]),
        .target(name: "CMemEvents", cSettings: cStrict),
        .target(
            name: "CBPFObjects", exclude: ["objects"],
            // `#embed` is a clang extension in C17; its objects come from `make bpf`.
            cSettings: cStrict + [.unsafeFlags(["-Wno-c23-extensions"])]),
        .target(
            name: "CSymbols", dependencies: ["CElfutils", "CMemEvents"], cSettings: cStrict,
            linkerSettings: [
                .linkedLibrary(":libdw.a"), .linkedLibrary(":liblzma.a"), .linkedLibrary(":libiberty.a"),
                // of newer elfutils
                .linkedLibrary(":libbz2.a"),
            ]),
        .target(name: "CTracee", cSettings: cStrict),
        .target(
            name: "CDisassembly", dependencies: ["CMemEvents"], cSettings: cStrict,
            linkerSettings: [.linkedLibrary(":libcapstone.a")]),
        .target(name: "LibBPF", dependencies: ["CLibbpf"], swiftSettings: strict),
        .target(name: "Symbols", dependencies: ["CSymbols", "CDisassembly", "CMemEvents"], swiftSettings: strict),
        .target(name: "MemoryTools", dependencies: ["CMemEvents"], swiftSettings: strict),
        .executableTarget(
            name: "swiftmem",
            dependencies: [
                "LibBPF", "CLibbpf", "MemoryTools", "Symbols", "CMemEvents", "CBPFObjects", "CTracee",
                "CDisassembly",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict, linkerSettings: link),
        .target(
            name: "TestObjects", path: "Tests/TestObjects", exclude: ["objects", "ringtest.bpf.c", "empty.bpf.c"],
            cSettings: cStrict + [.unsafeFlags(["-Wno-c23-extensions"])]),
        .executableTarget(
            name: "bench-ring", dependencies: ["LibBPF", "TestObjects"], path: "Tests/Bench/Ring",
            swiftSettings: strict, linkerSettings: link),
        .executableTarget(
            name: "bench-empty", dependencies: ["LibBPF", "TestObjects"], path: "Tests/Bench/Empty",
            swiftSettings: strict, linkerSettings: link),
        .testTarget(
            name: "LibBPFTests", dependencies: ["LibBPF", "CBPFObjects", "TestObjects"],
            swiftSettings: strict, linkerSettings: link),
        .testTarget(
            name: "SymbolsTests", dependencies: ["Symbols", "CSymbols", "CDisassembly", "CMemEvents"],
            exclude: ["Corpus"],
            swiftSettings: strict, linkerSettings: link),
        .testTarget(
            name: "MemoryToolsTests", dependencies: ["MemoryTools", "CMemEvents"],
            swiftSettings: strict, linkerSettings: link),
        .testTarget(
            name: "SwiftmemTests", dependencies: ["swiftmem", "LibBPF", "CBPFObjects"], swiftSettings: strict,
            linkerSettings: link),
        .testTarget(
            name: "LiveTests",
            dependencies: ["swiftmem", "MemoryTools", "LibBPF", "TestObjects"]
                + workloads.map { .target(name: "workload-\($0)") },
            exclude: ["verifier-budget.tsv"], swiftSettings: strict, linkerSettings: link),
    ]
        + workloads.map { name in
            .executableTarget(
                name: "workload-\(name)", path: "Tests/Workloads/\(name)",
                cSettings: cStrict + [.headerSearchPath("../include")])
        }
)
