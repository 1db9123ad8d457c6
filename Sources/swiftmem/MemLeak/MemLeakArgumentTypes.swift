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

/// Bytes between samples, with K, M or G for powers of 1024.
struct ByteDistance: ExpressibleByArgument, Equatable {
    let value: UInt64
    init?(argument: String) {
        let shift = ["K": 10, "M": 20, "G": 30][argument.suffix(1).uppercased()]
        guard let number = UInt64(shift == nil ? argument[...] : argument.dropLast()), number >= 1,
            number <= (UInt64(1) << 40) >> UInt64(shift ?? 0)
        else { return nil }
        value = number << UInt64(shift ?? 0)
    }
}

/// Entries of a kernel's hash table.
struct AllocationLimit: ExpressibleByArgument, Equatable {
    let value: Int
    init?(argument: String) {
        guard let value = Int(argument), value >= 1, value <= 1 << 28 else { return nil }
        self.value = value
    }
}
