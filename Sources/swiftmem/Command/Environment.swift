// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Probes
internal import Reports
internal import SystemLayer
internal import SystemPackage

/// What environment variables set. All that this program reads are here.
enum Environment {
    /// This program's own: for tests, measurements and packages.
    enum Variable: String, CaseIterable {
        /// `TOOL=RUNG` or `TOOL.LADDER=RUNG`, several with commas: that rung or none.
        case rungs = "SWIFTMEM_RUNG"
        /// `bare`: every hook is refused, as by a kernel that has none.
        case kernel = "SWIFTMEM_KERNEL"
        /// Set to anything: memleak's programs do nothing. Scripts/bench-memleak measures what probes cost by
        /// themselves.
        case empty = "SWIFTMEM_EMPTY"
        /// `entry`: memleak's probes stay at the entries of functions.
        case placement = "SWIFTMEM_PLACEMENT"
        /// The directory that keeps unwind tables between runs; none are kept where it is no absolute path.
        case unwindCache = "SWIFTMEM_UNWIND_CACHE"
        /// How bash completes (its `COMP_TYPE`), by its completion script.
        case bashCompletion = "SWIFTMEM_COMP_TYPE"

        /// What it does, for the manual pages.
        var purpose: String {
            switch self {
            case .rungs:
                "TOOL=RUNG or TOOL.LADDER=RUNG, several with commas: that hook of `swiftmem doctor --all` or none."
            case .kernel: "bare: every hook is refused, as by a kernel that has none."
            case .empty: "Set to anything: the programs of memleak do nothing, to measure what its probes cost."
            case .placement: "entry: the probes of memleak stay at the entries of functions."
            case .unwindCache:
                "The directory that keeps unwind tables between runs; none are kept where it is no absolute path."
            case .bashCompletion: "Set by bash's completion script: how bash completes."
            }
        }

        /// nil where it is not set.
        var value: String? { environmentVariable(rawValue) }
    }

    /// The rungs that the user asks for.
    ///
    /// - Throws: `Failure`, a bad value, where they can't be read.
    static func forcedRungs() throws(Failure) -> ForcedRungs {
        guard let text = Variable.rungs.value else { return ForcedRungs() }
        guard let forced = ForcedRungs(text) else {
            throw .badValue("SWIFTMEM_RUNG is not TOOL=RUNG or TOOL.LADDER=RUNG: \(Printable.text(text))")
        }
        if let mistake = forced.mistake(in: tools.flatMap { $0.modes.map(\.probes) }) {
            throw .badValue("SWIFTMEM_RUNG: \(Printable.text(mistake))")
        }
        return forced
    }

    /// The running kernel, or one that refuses every hook.
    ///
    /// - Parameter btf: a file with its type information; nil: the kernel's own.
    /// - Throws: `Failure` where that is a device, a directory or a FIFO.
    static func kernel(btf: String?) throws(Failure) -> any KernelOracle {
        if let btf {
            do throws(FileError) {
                // libbpf would wait for a FIFO's writer
                _ = try OpenFile(regular: FilePath(btf))
            } catch {
                // what else is wrong with it shows where it is read
                if error.code == .notSupported {
                    throw Failure(
                        status: Failure.Status.unavailable,
                        message: "no type information (BTF) can be read from \(Printable.text(btf)): "
                            + "it is no regular file")
                }
            }
        }
        return Variable.kernel.value == "bare"
            ? BareKernel(reason: "SWIFTMEM_KERNEL=bare refuses every hook")
            : RunningKernel(btf: btf)
    }

    /// Do memleak's programs record nothing?
    static var recordsNothing: Bool { Variable.empty.value != nil }

    /// Do memleak's probes stay at the entries of functions?
    static let keepsToEntries: Bool = Variable.placement.value == "entry"

    /// Where unwind tables are kept between runs; nil: nowhere.
    static var unwindCache: FilePath? {
        let directory = FilePath(Variable.unwindCache.value ?? "/var/cache/swiftmem/unwind")
        return directory.isAbsolute ? directory : nil
    }

    /// Where a shell looks for programs: PATH.
    static var programDirectories: [String] {
        (environmentVariable("PATH") ?? "").split(separator: ":").map(String.init)
    }

    /// May output be coloured? On a terminal that can, unless NO_COLOR says otherwise (no-color.org).
    static var isColoured: Bool {
        isatty(STDOUT_FILENO) == 1 && terminalMovesCursor && (environmentVariable("NO_COLOR") ?? "").isEmpty
    }

    /// Does the terminal understand cursor movement? By TERM.
    static var terminalMovesCursor: Bool { !["", "dumb", "unknown"].contains(environmentVariable("TERM") ?? "") }

    /// The parser's help asserts that a column of text is left beside the options: on a narrower terminal it is
    /// laid out for this many columns, and the terminal wraps it.
    ///
    /// - Parameter reported: the terminal's width.
    static func widenHelp(reported: Int) {
        let narrowest = 60
        let wanted = environmentVariable("COLUMNS").flatMap { Int($0) } ?? reported
        if wanted < narrowest { setEnvironmentVariable("COLUMNS", to: String(narrowest)) }
    }
}
