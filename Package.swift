// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "symbols",
    products: [.library(name: "Symbols", targets: ["Symbols"])],
    targets: [
        .target(
            name: "CSymbols",
            cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
            linkerSettings: [
                .linkedLibrary(":libdw.a"), .linkedLibrary(":libelf.a"), .linkedLibrary(":liblzma.a"),
                .linkedLibrary(":libz.a"), .linkedLibrary(":libiberty.a"),
            ]),
        .target(name: "Symbols", dependencies: ["CSymbols"], swiftSettings: settings),
        .testTarget(name: "SymbolsTests", dependencies: ["Symbols"], exclude: ["Corpus"], swiftSettings: settings),
    ]
)
