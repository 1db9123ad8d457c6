// SPDX-License-Identifier: Apache-2.0
import Reports
import Testing

@Suite struct Times {
    @Test("RFC 3339 to the nanosecond")
    func rfc3339() {
        #expect(WallTime(nanoseconds: 0).rfc3339 == "1970-01-01T00:00:00.000000000Z")
        #expect(WallTime(nanoseconds: 1_700_000_000_000_000_007).rfc3339 == "2023-11-14T22:13:20.000000007Z")
        #expect(WallTime(nanoseconds: -1).rfc3339 == "1969-12-31T23:59:59.999999999Z")
    }

    @Test("a program's stamp is a moment ago")
    func monotonic() {
        let age = WallTime.now.nanoseconds - WallTime(monotonic: monotonicNow()).nanoseconds
        #expect(abs(age) < 1_000_000_000)
    }
}
