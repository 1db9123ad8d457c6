// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import LibBPF

@Suite struct LibbpfOptions {
    @Test("a struct is zeroed to its last byte, padding too")
    func padding() {
        struct Options: BitwiseCopyable {
            var size: UInt64 = 7
            var flag = true
            var name: UInt64 = 9
            var mode: UInt32 = 1
        }
        var options = [Options(), Options()]
        options.withUnsafeMutableBytes { bytes in
            for index in bytes.indices { bytes[index] = 0xff }
        }
        clear(&options[0])
        options.withUnsafeBytes { bytes in
            let stride = MemoryLayout<Options>.stride
            #expect(bytes.prefix(MemoryLayout<Options>.size).allSatisfy { $0 == 0 })
            #expect(bytes[stride..<stride + MemoryLayout<Options>.size].allSatisfy { $0 == 0xff })
        }
    }
}
