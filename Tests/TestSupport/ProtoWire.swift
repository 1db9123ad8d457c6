// SPDX-License-Identifier: Apache-2.0
import Testing

/// A protocol buffer, as far as pprof's goes.
package enum ProtoWire {
    package struct Field {
        package let number: UInt64
        package var value: UInt64 = 0
        package var bytes: [UInt8] = []
    }

    package static func fields(_ bytes: [UInt8]) throws -> [Field] {
        var rest = bytes[...]
        var fields: [Field] = []
        while !rest.isEmpty {
            let key = try number(&rest)
            if key & 7 == 0 {
                fields.append(Field(number: key >> 3, value: try number(&rest)))
            } else {
                try #require(key & 7 == 2)
                let length = Int(try number(&rest))
                try #require(length <= rest.count)
                fields.append(Field(number: key >> 3, bytes: Array(rest.prefix(length))))
                rest = rest.dropFirst(length)
            }
        }
        return fields
    }

    package static func packed(_ bytes: [UInt8]) throws -> [UInt64] {
        var rest = bytes[...]
        var values: [UInt64] = []
        while !rest.isEmpty { values.append(try number(&rest)) }
        return values
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
        var value: UInt64 = 0, shift: UInt64 = 0
        while true {
            let next = rest.popFirst()
            let byte = try #require(next)
            value |= UInt64(byte & 0x7f) << shift
            shift += 7
            if byte < 0x80 { return value }
        }
    }
}
