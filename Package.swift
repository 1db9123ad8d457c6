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

/// Built for packages (Scripts/dist): a directory with libstdc++.a and nothing beside it. The program then runs where
/// neither that library nor libgcc_s is, and where glibc is older than this machine's.
let packaging: String? = Context.environment["SWIFTMEM_PACKAGING"]
let portable: [String] = packaging.map { ["-L", $0, "-Xclang-linker", "-static-libgcc"] } ?? []

/// 120 000 relocations in 30 KB, not 3 MB, which glibc reads since 2.36.
let packsRelocations: Bool = packaging == nil && !glibcVersion().lexicographicallyPrecedes([2, 36])
let packedRelocations: [String] = packsRelocations ? ["-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"] : []

// lld finds symbols in archives whatever their order; the other linkers want every
// archive behind all that use it, which targets can't promise each other.
let smallRelease: [String] = ["-Xlinker", "--gc-sections", "-Xlinker", "-s"] + packedRelocations + portable
let link: [LinkerSetting] = [
    .unsafeFlags(["-use-ld=lld"]),
    // newer elfutils' libelf.a has a crc32() of its own beside zlib's
    .unsafeFlags(["-Xlinker", "--allow-multiple-definition"], .when(traits: ["StaticLibraries"])),
    // what is installed carries no symbols and nothing that nobody calls
    .unsafeFlags(smallRelease, .when(configuration: .release)),
]

/// How libbpf and elfutils get into a program: one trait or the other (`traits` below).
let whenShared: BuildSettingCondition = .when(traits: ["SharedLibraries"])
let whenStatic: BuildSettingCondition = .when(traits: ["StaticLibraries"])

/// A library of ours in C.
///
/// - Parameters:
///   - libraries: of C libraries, those linked as the traits say.
///   - archives: those that are always linked from their archives, or have nothing else.
func cLibrary(
    _ name: String, _ dependencies: [Target.Dependency] = [], links libraries: [String] = [], archives: [String] = []
) -> Target {
    // `:libelf.a` asks the linker for that very file
    let shared: [LinkerSetting] = libraries.map { .linkedLibrary($0, whenShared) }
    let archived: [LinkerSetting] = libraries.map { .linkedLibrary(":lib\($0).a", whenStatic) }
    let always: [LinkerSetting] = archives.map { .linkedLibrary(":lib\($0).a") }
    return .target(
        name: name, dependencies: dependencies, cSettings: cStrict, linkerSettings: shared + archived + always)
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

let workloads: [String] = [
    "oomhog", "pagecache", "swapper", "shmcalls", "leaker", "mallocpairs", "kholder", "calls",
    "memstall",
    "cacheedges", "leakshapes", "memholder",
    "growth", "oomcrowd",
    // make new-tool: a workload goes above this line
]
let workloadTargets: [Target] = workloads.map(workload)
let workloadDependencies: [Target.Dependency] = workloads.map { .target(name: "workload-\($0)") }

/// Descriptors, paths and error numbers as Swift types.
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

let libraries: [Target] = [
    // newer elfutils than Debian 12's read sections compressed by zstd and bzip2 too
    cLibrary("CElfutils", links: ["elf", "z", "zstd"]),
    // says where the shared libbpf is, and what to install where it isn't
    .systemLibrary(
        name: "SharedLibbpf", pkgConfig: "libbpf", providers: [.apt(["libbpf-dev"]), .yum(["libbpf-devel"])]),
    .target(
        name: "CLibbpf",
        dependencies: [
            .target(name: "SharedLibbpf", condition: .when(traits: ["SharedLibraries"])),
            .target(name: "CElfutils", condition: .when(traits: ["StaticLibraries"])),
        ],
        cSettings: cStrict, linkerSettings: [.linkedLibrary(":libbpf.a", whenStatic)]),
    cLibrary("TraceRecords"),
    cLibrary(
        "CSymbols", ["CElfutils"], links: ["dw", "lzma", "bz2"], archives: ["iberty"]),
    cLibrary("CDisassembly", archives: ["capstone"]),
    cLibrary("CUnwind", ["CElfutils", "CDisassembly", "TraceRecords"], links: ["dw", "lzma", "bz2"]),
    cLibrary("CTracee"),
    cLibrary("CSandbox"),
    cLibrary("CLinux"),
    cLibrary("CGzip", ["CElfutils"]),
    // its objects come from `make bpf`
    .target(name: "CBPFObjects", exclude: ["objects"], cSettings: cEmbed),
    // Docs/schema, embedded
    .target(name: "CSchema", cSettings: cEmbed),
    // what is built, by Scripts/version
    cLibrary("CVersion"),

    library("SystemLayer", [systemPackage, "CLinux"]),
    library("LibBPF", ["CLibbpf", "SystemLayer"]),
    library("Probes", ["LibBPF", "CLibbpf", "SystemLayer", systemPackage]),
    library("Symbols", ["CSymbols", "CSandbox", "CLinux", "SystemLayer", systemPackage]),
    library("Unwind", ["LibBPF", "Symbols", "SystemLayer", systemPackage, "CUnwind", "TraceRecords"]),
    library("Reports", ["TraceRecords", "CSchema", "SystemLayer"]),
]

let command: Target = .executableTarget(
    name: "swiftmem",
    dependencies: [
        "LibBPF", "Probes", "Reports", "Symbols", "Unwind", "TraceRecords", "CBPFObjects", "CTracee", "CSandbox",
        "CLinux", "CGzip",
        "CDisassembly", "CVersion", "SystemLayer", systemPackage,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    swiftSettings: strict, linkerSettings: link)

/// A program that shows how the library is used: Examples, and the library's pages.
func example(_ directory: String, _ name: String, _ dependencies: [Target.Dependency]) -> Target {
    program("example-\(name)", dependencies + ["ExampleObjects"], path: "Examples/\(directory)")
}

let exampleObjects: [String] = ["exec_events", "calls_per_cpu", "uprobe_cookies", "task_list", "file_opens"]
let examples: [Target] = [
    // its objects come from `make bpf`
    .target(
        name: "ExampleObjects", path: "Examples/Objects", exclude: ["objects"] + exampleObjects.map { "\($0).bpf.c" },
        cSettings: cEmbed),
    example("ExecEvents", "exec-events", ["LibBPF"]),
    example("CallsPerCPU", "calls-per-cpu", ["LibBPF"]),
    example("UprobeCookies", "uprobe-cookies", ["LibBPF"]),
    example("TaskList", "task-list", ["LibBPF"]),
    example("FileOpens", "file-opens", ["LibBPF", "Probes"]),
]
let exampleDependencies: [Target.Dependency] = [
    "exec-events", "calls-per-cpu", "uprobe-cookies", "task-list", "file-opens",
]
.map { .target(name: "example-\($0)") }

let testTargets: [Target] = [
    .target(
        name: "TestObjects", path: "Tests/TestObjects",
        exclude: ["objects", "ringtest.bpf.c", "empty.bpf.c", "library.bpf.c"], cSettings: cEmbed),
    program("bench-ring", ["LibBPF", "Probes", "TestObjects"], path: "Tests/Bench/Ring"),
    program("bench-empty", ["LibBPF", "Probes", "TestObjects"], path: "Tests/Bench/Empty"),
    tests("LibBPFTests", ["LibBPF", "SystemLayer", "TestObjects"]),
    tests("ProbesTests", ["LibBPF", "Probes", "CBPFObjects", "TestObjects"]),
    .target(
        name: "TestSupport", dependencies: [systemPackage], path: "Tests/TestSupport", exclude: ["Corpus"],
        swiftSettings: strict),
    tests("SymbolsTests", ["Symbols", "CSymbols", "SystemLayer", systemPackage, "TestSupport"]),
    tests(
        "UnwindTests",
        [
            "Unwind", "LibBPF", "Symbols", "CUnwind", "CSymbols", "SystemLayer", systemPackage, "TraceRecords",
            "TestSupport",
        ]),
    tests("SystemTests", ["SystemLayer", "CLinux", systemPackage]),
    .target(name: "SchemaSupport", dependencies: ["Reports"], path: "Tests/SchemaSupport", swiftSettings: strict),
    tests(
        "ReportsTests", ["Reports", "TraceRecords", "SchemaSupport", "TestSupport", systemPackage], exclude: ["Golden"]),
    tests(
        "CommandTests",
        [
            "swiftmem", "Reports", "SchemaSupport", "LibBPF", "Probes", "Symbols", "CBPFObjects", "CDisassembly",
            "SystemLayer", systemPackage,
        ],
        exclude: ["Golden"]),
    tests(
        "LiveTests",
        ["swiftmem", "Reports", "SchemaSupport", "LibBPF", "Probes", "TestObjects", "TestSupport"]
            + workloadDependencies + exampleDependencies,
        exclude: ["verifier-budget.tsv"]),
]

let package = Package(
    name: "swiftmem",
    products: [
        .executable(name: "swiftmem", targets: ["swiftmem"]),
        .library(name: "LibBPF", targets: ["LibBPF", "SystemLayer"]),
        .library(name: "Reports", targets: ["Reports"]),
    ],
    traits: [
        .default(enabledTraits: ["SharedLibraries"]),
        .trait(name: "SharedLibraries", description: "Links libbpf and elfutils as shared libraries."),
        .trait(
            name: "StaticLibraries",
            description: "Links libbpf and elfutils from their archives, for a program that runs where they are not."),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        // makes the library's pages; nothing of it is in a program
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", exact: "1.5.0"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
    ],
    targets: libraries + [command] + examples + testTargets + workloadTargets
)
