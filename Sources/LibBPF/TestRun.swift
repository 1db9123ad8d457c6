// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf

/// What a program did with made-up input.
public struct TestRun: Hashable, Sendable {
    /// What it returned.
    public let result: UInt32
    /// The data as it left them: a packet, where it is a program for packets.
    public let output: [UInt8]
    /// Nanoseconds a run took, on average.
    public let nanoseconds: UInt32
}

extension Program {
    /// Runs it in the kernel with made-up input, attached to nothing (BPF_PROG_TEST_RUN).
    ///
    /// Programs for packets take `data`, at least 14 bytes of it; raw tracepoints (Linux 5.10)
    /// take their arguments, words of eight bytes, as `context`.
    ///
    /// - Parameters:
    ///   - data: a packet.
    ///   - context: the program's argument.
    ///   - count: how often to run it, for a mean of the time; for `data` only.
    ///   - cpu: where to run it; for `context` only. nil: on any.
    /// - Throws: `BPFError`: ENOTSUPP or EINVAL where programs of this type have no test run, or
    ///   not with such input; ENXIO where there is no such CPU.
    public func testRun(
        data: [UInt8] = [], context: [UInt8] = [], times count: Int = 1, on cpu: UInt32? = nil
    ) throws(BPFError) -> TestRun {
        var options = bpf_test_run_opts()
        clear(&options)
        options.sz = MemoryLayout<bpf_test_run_opts>.size
        // a program may make a packet longer
        var output = [UInt8](repeating: 0, count: data.isEmpty ? 0 : data.count + 4096)
        let code = data.withUnsafeBytes { data in
            context.withUnsafeBytes { context in
                output.withUnsafeMutableBytes { output in
                    if !data.isEmpty {
                        options.data_in = data.baseAddress
                        options.data_size_in = UInt32(clamping: data.count)
                        options.data_out = output.baseAddress
                        options.data_size_out = UInt32(clamping: output.count)
                        options.repeat = Int32(clamping: count)
                    }
                    if let cpu {
                        (options.flags, options.cpu) = (UInt32(BPF_F_TEST_RUN_ON_CPU), cpu)
                    }
                    if !context.isEmpty {
                        options.ctx_in = context.baseAddress
                        options.ctx_size_in = UInt32(clamping: context.count)
                    }
                    // SAFETY: every pointer is to a buffer of the size beside it, for this call.
                    return bpf_prog_test_run_opts(descriptor, &options)
                }
            }
        }
        try checkedCode(code, "run program \(name)", program: name)
        return TestRun(
            result: options.retval, output: Array(output.prefix(Int(options.data_size_out))),
            nanoseconds: options.duration)
    }
}
