// SPDX-License-Identifier: Apache-2.0
import CDisassembly
import Testing

/// Where in an arm64 function a probe costs one trap. The words are glibc 2.43's and jemalloc 5.3's, where not said otherwise.
@Suite struct SimulatedInstructions {
    private static let bti: UInt32 = 0xd503_245f
    private static let ret: UInt32 = 0xd65f_03c0

    private func place(_ words: [UInt32]) -> Int {
        let code: [UInt8] = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
        return code.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { simulated_instruction($0, bytes.count) } ?? 0
        }
    }

    @Test("free: behind the landing pad, at the branch")
    func free() {
        // bti c; cbz x0; mov x3,x0
        #expect(place([Self.bti, 0xb400_07e0, 0xaa00_03e3]) == 4)
    }

    @Test(
        "each instruction that the kernel simulates, behind a landing pad",
        arguments: [
            0x5400_0041,  // b.ne +8
            0x3500_0048,  // cbnz w8, +8
            0x36f8_0040,  // tbz w0, #31, +8
            0x1400_0002,  // b +8
            0x9400_0400,  // bl
            0x1000_0001,  // adr x1, .
            0xb000_0001,  // adrp x1
        ] as [UInt32])
    func simulated(word: UInt32) {
        #expect(place([Self.bti, word, Self.ret, Self.ret]) == 4)
        // mov x9, x0; cmp x0, #1
        #expect(place([0xaa00_03e9, 0xf100_041f, word, Self.ret]) == 8)
    }

    @Test(
        "what changes arguments, stack, frame pointer or return address, or touches memory, keeps the probe at the entry",
        arguments: [
            0xaa00_03e2,  // mov x2, x0
            0xd503_233f,  // paciasp
            0xa9bf_7bfd,  // stp x29, x30, [sp, #-16]!
            0xd100_83ff,  // sub sp, sp, #32
            0x9100_03fd,  // mov x29, sp
            0xf940_0009,  // ldr x9, [x0]
            0xd53b_d049,  // mrs x9, tpidr_el0
            0x5280_0008,  // mov w8, #0
            0xd400_0001,  // svc #0
        ] as [UInt32])
    func kept(word: UInt32) {
        #expect(place([Self.bti, word, 0xb400_0040, Self.ret, Self.ret]) == 0)
    }

    @Test("no place that a jump of the function leads to, or may")
    func jumps() {
        // bti c; cbz x0, +8; b -4: back to the branch
        #expect(place([Self.bti, 0xb400_0040, 0x17ff_ffff, Self.ret]) == 0)
        // a jump through a register may lead anywhere
        #expect(place([Self.bti, 0xb400_0040, 0xd61f_0120, Self.ret]) == 0)
        // to the function's own start leads a loop of calls
        #expect(place([Self.bti, 0xb400_0040, 0x17ff_fffe, Self.ret]) == 4)
        // bc.eq is simulated by no kernel
        #expect(place([Self.bti, 0x5400_0050, Self.ret, Self.ret]) == 0)
    }

    @Test("too little code, and none")
    func short() {
        #expect(place([]) == 0)
        #expect(place([Self.bti]) == 0)
        #expect(place([0xb400_0040]) == 0)
    }
}
