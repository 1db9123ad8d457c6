// SPDX-License-Identifier: Apache-2.0
import Reports
import Testing

@Suite struct GFP {
    @Test(
        "masks as the kernel log names them",
        arguments: [
            (UInt32(0xcc0), "GFP_KERNEL"), (0x140cca, "GFP_HIGHUSER_MOVABLE|__GFP_COMP"),
            (0x100cca, "GFP_HIGHUSER_MOVABLE"), (0x100cc0, "GFP_USER"), (0x400cc0, "GFP_KERNEL_ACCOUNT"),
            (0xdc0, "GFP_KERNEL|__GFP_ZERO"), (0xc40, "GFP_NOFS"), (0x820, "GFP_ATOMIC"),
            (0x1100dca, "GFP_HIGHUSER_MOVABLE|__GFP_ZERO|0x1000000"), (0, "0x0"),
            (0x142cca, "GFP_HIGHUSER_MOVABLE|__GFP_NOWARN|__GFP_COMP"),
        ])
    func names(mask: UInt32, text: String) {
        #expect(GFPFlags(mask: mask).description == text)
    }
}
