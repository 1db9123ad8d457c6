// SPDX-License-Identifier: Apache-2.0
internal import Symbols

/// Where in a function its probe goes. Everything that attaches asks here.
enum ProbePlacement {
    /// Bytes from the start of the file.
    ///
    /// The place must be reached by every call, with the arguments, the stack pointer
    /// and the return address as at the entry.
    static func offset(of function: FunctionLocation, path: String) -> UInt64 {
        function.fileOffset
    }
}
