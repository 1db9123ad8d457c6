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

let cStrict: [CSetting] = [.enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error)]
/// `#embed` is a clang extension in C17.
let cEmbed: [CSetting] = cStrict + [.disableWarning("c23-extensions")]

/// glibc's version, e.g. [2, 36]; empty where there is another C library.
func glibcVersion() -> [Int] {
    #if canImport(Glibc)
        var text = [CChar](repeating: 0, count: 64)
        let length = confstr(Int32(_CS_GNU_LIBC_VERSION), &text, text.count)
        // "glibc 2.36"
        let bytes: [UInt8] = text.prefix(max(0, length - 1)).map { UInt8(bitPattern: $0) }
        let version = String(decoding: bytes, as: UTF8.self).split(separator: " ").last ?? ""
        return version.split(separator: ".").compactMap { Int($0) }
    #else
        return []
    #endif
}

/// 120 000 relocations in 30 KB, not 3 MB, which glibc reads since 2.36.
let packsRelocations: Bool = !glibcVersion().lexicographicallyPrecedes([2, 36])
let packedRelocations: [String] = packsRelocations ? ["-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"] : []

// lld finds symbols in archives whatever their order; the other linkers want every
// archive behind all that use it, which targets can't promise each other.
let smallRelease: [String] = ["-Xlinker", "--gc-sections", "-Xlinker", "-s"] + packedRelocations
let link: [LinkerSetting] = [
    .unsafeFlags(["-use-ld=lld"]),
    // what is installed carries no symbols and nothing that nobody calls
    .unsafeFlags(smallRelease, .when(configuration: .release)),
]

/// A library of ours in C.
func cLibrary(_ name: String, _ dependencies: [Target.Dependency] = [], links libraries: [String] = []) -> Target {
    // `:libbpf.a` asks the linker for that very file: the archives, not the shared libraries.
    .target(
        name: name, dependencies: dependencies, cSettings: cStrict,
        linkerSettings: libraries.map { .linkedLibrary($0) })
}

/// A library of ours in Swift.
func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// Tests of one library.
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict, linkerSettings: link)
}

/// A program of ours that tests or measures something.
func program(_ name: String, _ dependencies: [Target.Dependency], path: String) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: path, swiftSettings: strict, linkerSettings: link)
}

/// A program whose truth the live tests know.
func workload(_ name: String) -> Target {
    .executableTarget(
        name: "workload-\(name)", path: "Tests/Workloads/\(name)",
        cSettings: cStrict + [.headerSearchPath("../include")])
}

let workloads: [String] = ["oomhog", "pagecache", "swapper", "shmcalls", "leaker", "mallocpairs", "kholder", "calls"]
let workloadTargets: [Target] = workloads.map(workload)
let workloadDependencies: [Target.Dependency] = workloads.map { .target(name: "workload-\($0)") }

/// Descriptors, paths and error numbers as Swift types.
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let libraries: [Target] = [
    // newer elfutils than Debian 12's read sections compressed by zstd and bzip2 too
    cLibrary("CElfutils", links: [":libelf.a", ":libz.a", ":libzstd.a"]),
    cLibrary("CLibbpf", ["CElfutils"], links: [":libbpf.a"]),
    cLibrary("TraceRecords"),
    cLibrary(
        "CSymbols", ["CElfutils"], links: [":libdw.a", ":liblzma.a", ":libiberty.a", ":libbz2.a"]),
    cLibrary("CDisassembly", links: [":libcapstone.a"]),
    cLibrary(
        "CUnwind", ["CElfutils", "CDisassembly", "TraceRecords"], links: [":libdw.a", ":liblzma.a", ":libbz2.a"]),
    cLibrary("CTracee"),
    cLibrary("CLinux"),
    // its objects come from `make bpf`
    .target(name: "CBPFObjects", exclude: ["objects"], cSettings: cEmbed),

    library("SystemLayer", [systemPackage]),
    library("LibBPF", ["CLibbpf", "SystemLayer"]),
    library("Probes", ["LibBPF", "CLibbpf", "SystemLayer", systemPackage]),
    library("Symbols", ["CSymbols", "SystemLayer", systemPackage]),
    library("Unwind", ["LibBPF", "Symbols", "SystemLayer", systemPackage, "CUnwind", "TraceRecords"]),
    library("Reports", ["TraceRecords"]),
]

let command: Target = .executableTarget(
    name: "swiftmem",
    dependencies: [
        "LibBPF", "Probes", "Reports", "Symbols", "Unwind", "TraceRecords", "CBPFObjects", "CTracee", "CLinux",
        "CDisassembly", "SystemLayer", systemPackage,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    swiftSettings: strict, linkerSettings: link)

let testTargets: [Target] = [
    .target(
        name: "TestObjects", path: "Tests/TestObjects", exclude: ["objects", "ringtest.bpf.c", "empty.bpf.c"],
        cSettings: cEmbed),
    program("bench-ring", ["LibBPF", "Probes", "TestObjects"], path: "Tests/Bench/Ring"),
    program("bench-empty", ["LibBPF", "Probes", "TestObjects"], path: "Tests/Bench/Empty"),
    tests("ProbesTests", ["LibBPF", "Probes", "CBPFObjects", "TestObjects"]),
    .target(
        name: "TestSupport", dependencies: ["Symbols", systemPackage], path: "Tests/TestSupport", exclude: ["Corpus"],
        swiftSettings: strict),
    tests("SymbolsTests", ["Symbols", "CSymbols", "SystemLayer", systemPackage, "TestSupport"]),
    tests(
        "UnwindTests",
        [
            "Unwind", "LibBPF", "Symbols", "CUnwind", "CSymbols", "SystemLayer", systemPackage, "TraceRecords",
            "TestSupport",
        ]),
    tests("SystemTests", ["SystemLayer", systemPackage]),
    tests("ReportsTests", ["Reports", "TraceRecords"]),
    tests("CommandTests", ["swiftmem", "LibBPF", "Probes", "Symbols", "CBPFObjects", "SystemLayer", systemPackage]),
    tests(
        "LiveTests", ["swiftmem", "Reports", "LibBPF", "Probes", "TestObjects"] + workloadDependencies,
        exclude: ["verifier-budget.tsv"]),
]

let package = Package(
    name: "swiftmem",
    products: [
        .executable(name: "swiftmem", targets: ["swiftmem"]),
        .library(name: "LibBPF", targets: ["LibBPF"]),
        .library(name: "Reports", targets: ["Reports"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.6.0"),
    ],
    targets: libraries + [command] + testTargets + workloadTargets
)
