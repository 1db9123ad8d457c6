// SPDX-License-Identifier: Apache-2.0
internal import CUnwind
internal import TraceRecords

/// arm64's `__kernel_rt_sigreturn`, by which a signal handler returns. Its call-frame information was taken out of the
/// vDSO in Linux 5.8 (arch/arm64/kernel/vdso/sigreturn.S says why): unwinders know it by its instructions.
enum SignalTrampoline {
    /// `mov x8, #__NR_rt_sigreturn`, `svc #0`
    private static let code: [UInt8] = [0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4]

    /// The trampoline with the no-op before it, in which a caller's place lies: the handler returns to behind it.
    static func rows(in piece: unwind_code) -> [unwind_row] {
        // SAFETY: the piece is `size` bytes of its file's, which the caller keeps.
        let bytes = UnsafeBufferPointer(start: piece.bytes, count: piece.size)
        var rows: [unwind_row] = []
        for at in stride(from: 0, through: bytes.count - code.count, by: 4)
        where bytes[at..<at + code.count].elementsEqual(code) {
            let start = piece.address + UInt64(at)
            rows.append(
                unwind_row(
                    start: start >= 4 ? start - 4 : start, end: start + UInt64(code.count),
                    rule: UInt64(UNWIND_SIGNAL_FRAME.rawValue) | UInt64(UNWIND_SIGNAL)))
        }
        return rows
    }
}
