// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

/// Ends a test for want of something outside; a failure where SWIFTMEM_LIVE=require.
package func skip(_ missing: String) throws {
    if let wanted = getenv("SWIFTMEM_LIVE"), String(cString: wanted) == "require" {
        Issue.record("needs \(missing)")
    } else {
        print("skipped: needs \(missing)")
        #if compiler(>=6.3)
            try Test.cancel("needs \(missing)")
        #endif
    }
}
