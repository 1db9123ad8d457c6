// SPDX-License-Identifier: Apache-2.0
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// What memleak's options come to that go with every target.
struct MemLeakSettings {
    /// Bytes of the smallest and the largest allocation that is recorded.
    let sizes: ClosedRange<UInt64>
    /// One allocation in so many is recorded.
    let sampleRate: UInt64
    /// Room for outstanding allocations; nil: what the kernel can give.
    let maxAllocations: Int?
    /// The kernel adds up by stack, and keeps no single allocation.
    let combinedOnly: Bool
    /// Each call is printed; a report comes at the end, and when it is asked for.
    let trace: Bool
    /// Reports show each allocation's address and size.
    let showsBlocks: Bool
    /// Nanoseconds: younger allocations are left out of reports.
    let minimumAge: UInt64
    let view: LeakViewOptions
    /// Seconds after which a growth that has not ended may be called a leak.
    let patience: Double
    /// What leaks is named in these too; nil: it is not.
    let annotations: LeakAnnotations?
    /// Seconds after the start: what is there then is left out from then on; nil: nothing is.
    let baseline: Double?

    /// What of the run its reports depend on; it begins now.
    func run(mayLeak: Bool, hasSeveralProcesses: Bool = false, isKernel: Bool = false, target: String) -> LeakRun {
        LeakRun(
            start: monotonicNow(), patience: patience, mayLeak: mayLeak, hasAges: !combinedOnly,
            // else some frees are of what was passed over
            seesOldFrees: sampleRate == 1 && sizes == 0 ... .max, hasSeveralProcesses: hasSeveralProcesses,
            isKernel: isKernel, target: target)
    }

    init(_ arguments: MemLeakArguments) throws(Failure) {
        let smallest = arguments.minSize ?? 0, largest = arguments.maxSize ?? .max
        guard smallest <= largest else { throw .usage("min_size (-z) can't be greater than max_size (-Z)") }
        if arguments.combinedOnly && arguments.showAllocs {
            throw .usage("--combined-only keeps no single allocations for -a to show")
        }
        sizes = smallest...largest
        sampleRate = arguments.sampleRate.value
        maxAllocations = arguments.maxAllocations?.value
        combinedOnly = arguments.combinedOnly
        trace = arguments.trace
        showsBlocks = arguments.showAllocs
        minimumAge = arguments.older.value * 1_000_000
        patience = arguments.leakAfter.value
        annotations = arguments.annotations
        baseline = arguments.baseline?.value
        if baseline != nil, combinedOnly { throw .usage("--combined-only keeps no ages for --baseline") }
        view = try LeakViewOptions(arguments)
    }

    /// The youngest allocation that a report shows, CLOCK_MONOTONIC nanoseconds.
    func youngest(at now: UInt64) -> UInt64 { now > minimumAge ? now - minimumAge : 0 }
}

extension LeakViewOptions {
    /// - Throws: `Failure` where the suppressions can't be read.
    init(_ arguments: MemLeakArguments) throws(Failure) {
        self.init(
            top: arguments.top.value, order: arguments.sort.order, granularity: arguments.by.granularity,
            suppressions: try arguments.suppressions.map(Self.suppressions), keepsPeak: arguments.peak)
    }

    private static func suppressions(_ path: String) throws(Failure) -> LeakSuppressions {
        let text: String
        do throws(FileError) {
            text = String(decoding: try OpenFile(reading: FilePath(path)).readAll(limit: 1 << 20), as: UTF8.self)
        } catch {
            throw .badValue("--suppressions: \(Printable.text(error.description))")
        }
        do throws(LeakSuppressions.Malformed) {
            return try LeakSuppressions(text)
        } catch {
            throw .badValue(
                "--suppressions: line \(error.line) of \(Printable.text(path)) is not leak:PATTERN: "
                    + Printable.text(String(error.text.prefix(60))))
        }
    }
}
