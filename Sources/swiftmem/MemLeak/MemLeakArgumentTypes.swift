// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser
internal import Reports

extension Percent: ExpressibleByArgument {}

/// What reports are sorted by.
enum SortKey: String, CaseIterable, ExpressibleByArgument {
    case verdict, size, count, growth, age

    var order: MemLeakOrder {
        switch self {
        case .verdict: .verdict
        case .size: .size
        case .count: .count
        case .growth: .growth
        case .age: .age
        }
    }
}

/// What makes two stacks one.
enum StackMerging: String, CaseIterable, ExpressibleByArgument {
    case function, address

    var granularity: StackID.Granularity { self == .function ? .function : .address }
}

/// A time in thousandths of a second.
struct Milliseconds: ExpressibleByArgument, Equatable {
    let value: UInt64
    init(value: UInt64) { self.value = value }
    init?(argument: String) {
        guard let value = UInt64(argument), value <= 1_000_000_000 else { return nil }
        self.value = value
    }
    var defaultValueDescription: String { "\(value)" }
}

/// One in so many.
struct SampleRate: ExpressibleByArgument, Equatable {
    let value: UInt64
    init(value: UInt64) { self.value = value }
    init?(argument: String) {
        guard let value = UInt64(argument), value >= 1, value <= 1_000_000_000 else { return nil }
        self.value = value
    }
    var defaultValueDescription: String { "\(value)" }
}

/// A number of bytes, with K, M or G for powers of 1024, up to 2^40.
private func bytes(_ argument: String) -> UInt64? {
    let shift = ["K": 10, "M": 20, "G": 30][argument.suffix(1).uppercased()]
    guard let number = UInt64(shift == nil ? argument[...] : argument.dropLast()),
        number <= (UInt64(1) << 40) >> UInt64(shift ?? 0)
    else { return nil }
    return number << UInt64(shift ?? 0)
}

/// Bytes between samples.
struct ByteDistance: ExpressibleByArgument, Equatable {
    let value: UInt64
    init?(argument: String) {
        guard let value = bytes(argument), value >= 1 else { return nil }
        self.value = value
    }
}

/// Bytes a second.
struct LeakRate: ExpressibleByArgument, Equatable {
    let value: UInt64
    init(value: UInt64) { self.value = value }
    init?(argument: String) {
        guard let value = bytes(argument) else { return nil }
        self.value = value
    }
}

/// Bytes of a file, at least those of its smallest contents.
struct FileSize: ExpressibleByArgument, Equatable {
    /// What reads it holds all of it in memory.
    static let most: UInt64 = 4 << 30
    let value: UInt64
    init(value: UInt64) { self.value = value }
    init?(argument: String) {
        guard let value = bytes(argument), value >= 4096, value <= Self.most else { return nil }
        self.value = value
    }
    var defaultValueDescription: String { "\(value >> 20)M" }
}

/// Entries of a kernel's hash table.
struct AllocationLimit: ExpressibleByArgument, Equatable {
    let value: Int
    init?(argument: String) {
        guard let value = Int(argument), value >= 1, value <= 1 << 28 else { return nil }
        self.value = value
    }
}
