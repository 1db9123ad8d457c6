// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc
internal import SystemLayer

extension Program {
    /// Runs an iterator's program over all its objects.
    ///
    /// - Returns: what it wrote, all of it (bpf_seq_write, bpf_seq_printf).
    /// - Throws: `BPFError` where this kernel has no iterator of the section's name, or the program
    ///   ended the iteration with an error.
    @discardableResult
    public func runIterator() throws(BPFError) -> [UInt8] {
        let link = try attach()
        let file = OwnedDescriptor(
            owning: try checkedCode(bpf_iter_create(link.descriptor), "run iterator \(name)", program: name))
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(file.raw, &buffer, buffer.count)
            if count == 0 { return output }
            if count > 0 {
                output += buffer.prefix(count)
            } else if errno != EINTR && errno != EAGAIN {
                throw BPFError(operation: "run iterator \(name)", code: errno, program: name)
            }
        }
    }
}
