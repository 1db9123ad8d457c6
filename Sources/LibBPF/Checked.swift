// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

// Every C return value becomes a value or a `BPFError` here. A call that libbpf may say something
// about is made within `checked` or `checkedPointer`, which keep its words; a plain system call
// says nothing, so its return value is all that `checkedCode` needs, and it costs nothing else.

/// A call of libbpf that returns a negative errno (libbpf 1.x).
@discardableResult
func checked(
    _ operation: @autoclosure () -> String, program: String? = nil, _ body: () -> Int32
) throws(BPFError) -> Int32 {
    let words = LibbpfWords()
    let result = words.capture(body)
    guard result < 0 else { return result }
    throw BPFError(operation: operation(), code: -result, log: words.lines, program: program)
}

/// A call of libbpf that returns a pointer, or NULL with errno set.
func checkedPointer(
    _ operation: @autoclosure () -> String, program: String? = nil, _ body: () -> OpaquePointer?
) throws(BPFError) -> OpaquePointer {
    let words = LibbpfWords()
    var code: Int32 = 0
    let result = words.capture {
        let result = body()
        if result == nil { code = errno }
        return result
    }
    if let result { return result }
    throw BPFError(operation: operation(), code: code, log: words.lines, program: program)
}

/// The return value of a system call, a negative errno where it failed.
@discardableResult
@inline(__always)
func checkedCode(
    _ code: Int32, _ operation: @autoclosure () -> String, program: String? = nil
) throws(BPFError) -> Int32 {
    guard code < 0 else { return code }
    throw BPFError(operation: operation(), code: -code, program: program)
}
