// SPDX-License-Identifier: Apache-2.0
internal import ArgumentParser

/// A time in seconds, whole or not.
struct Seconds: ExpressibleByArgument, Equatable {
    let value: Double

    init(_ value: Double) { self.value = value }

    var defaultValueDescription: String { value == value.rounded() ? "\(Int(value))" : "\(value)" }

    /// From a hundredth of a second to about eleven days.
    init?(argument: String) {
        guard let value = Double(argument), value >= 0.01, value <= 1_000_000 else { return nil }
        self.value = value
    }
}

/// A number of reports.
struct ReportCount: ExpressibleByArgument, Equatable {
    let value: Int
    var defaultValueDescription: String { "\(value)" }

    init(value: Int) { self.value = value }

    init?(argument: String) {
        guard let value = Int(argument), value >= 1 else { return nil }
        self.value = value
    }
}

/// A process or thread id.
struct TaskID: ExpressibleByArgument, Equatable {
    let value: UInt32

    init?(argument: String) {
        // PID_MAX_LIMIT of 64-bit kernels
        guard let value = UInt32(argument), value >= 1, value <= 4_194_304 else { return nil }
        self.value = value
    }
}

/// Which tasks a tool looks at: the same words in every tool.
struct TaskOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "Only this process.", completion: .processID)
    var pid: TaskID?

    @Option(name: [.short, .long], help: "Only this thread.", completion: .threadID)
    var tid: TaskID?

    @Option(help: "Only tasks of this name.", completion: .processName)
    var comm: String?

    @Option(help: ArgumentHelp("Only tasks in this cgroup or below.", valueName: "path"), completion: .cgroup)
    var cgroup: String?

    /// Every task?
    var isEmpty: Bool { pid == nil && tid == nil && comm == nil && cgroup == nil }
}

/// Which processes a tool looks at that counts by process: a thread is none.
struct ProcessOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "Only this process.", completion: .processID)
    var pid: TaskID?

    @Option(help: "Only processes of this name.", completion: .processName)
    var comm: String?

    @Option(help: ArgumentHelp("Only processes in this cgroup or below.", valueName: "path"), completion: .cgroup)
    var cgroup: String?

    var tasks: TaskOptions {
        var tasks = TaskOptions()
        tasks.pid = pid
        tasks.tid = nil
        tasks.comm = comm
        tasks.cgroup = cgroup
        return tasks
    }
}

/// How a tool reports: the same words in every tool.
struct ReportOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("End after this time.", valueName: "seconds"))
    var duration: Seconds?

    @Flag(help: "One JSON object a line.")
    var json = false

    @Flag(help: "Exit with status 70 when anything was lost.")
    var strict = false

    @Flag(help: "Say which hooks are used, and all that libbpf says, on standard error.")
    var verbose = false

    @Option(
        help: ArgumentHelp(
            "Type information of the kernel, where it has none itself.", valueName: "file"),
        completion: .file())
    var btf: String?
}
