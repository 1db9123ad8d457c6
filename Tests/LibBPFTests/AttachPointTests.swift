// SPDX-License-Identifier: Apache-2.0
import LibBPF
import Testing

@Suite struct AttachPoints {
    @Test(
        "section names are read as hooks",
        arguments: [
            ("tp_btf/mark_victim", AttachPoint.btfTracepoint("mark_victim")),
            ("?fentry/vfs_read", .fentry("vfs_read")), ("fexit/vfs_read", .fexit("vfs_read")),
            ("kprobe/vfs_read", .kprobe("vfs_read")), ("kretprobe/x", .kretprobe("x")),
            ("raw_tp/sys_enter", .rawTracepoint("sys_enter")), ("iter/task", .iterator("task")),
            ("tracepoint/oom/mark_victim", .tracepoint(category: "oom", name: "mark_victim")),
            ("tp/oom", .other("tp/oom")), ("", .other("")), ("perf_event", .perfEvent),
            ("uprobe.session", .userFunction(section: "uprobe.session")),
        ])
    func sections(section: String, hook: AttachPoint) {
        #expect(AttachPoint(section: section) == hook)
    }

    @Test(
        "a hook is spelt as a section that reads as itself",
        arguments: [
            AttachPoint.btfTracepoint("a"), .rawTracepoint("a"), .tracepoint(category: "a", name: "b"), .fentry("a"),
            .fexit("a"), .kprobe("a"), .kretprobe("a"), .iterator("a"), .userFunction(section: "uprobe"), .perfEvent,
            .other("xdp"),
        ])
    func description(hook: AttachPoint) {
        #expect(AttachPoint(section: hook.description) == hook)
    }
}
