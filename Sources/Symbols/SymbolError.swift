// SPDX-License-Identifier: Apache-2.0
import Glibc
internal import SystemLayer
internal import SystemPackage

/// Why addresses couldn't be turned into names. Every throwing call of this module throws this type.
public enum SymbolError: Error, Hashable, Sendable {
    /// A system call failed. `path` is shown with invalid UTF-8 replaced.
    case system(operation: String, path: String, errno: Int32)
    /// `/proc/kallsyms` gave address 0 for every symbol: `kernel.kptr_restrict` hides them from this process.
    case kernelAddressesHidden
    /// The kernel's list holds no code symbol at all.
    case noKernelSymbols
    /// The file isn't ELF, or its tables contradict themselves.
    case malformedELF(path: String, reason: String)
    /// The file is longer than this module agrees to read.
    case tooLarge(path: String, limitBytes: Int)
    /// What there is to read would take more time or memory than one file may.
    case leftOut(path: String, reason: FileReading.Reason)
    /// File and line were asked for, and DWARF can't be read here.
    case noDWARF(reason: String)
    /// The file has no call-frame information that can be used.
    case noUnwindInformation(path: String)

    /// A file that could not be opened or read.
    init(_ error: FileError) {
        self = .system(operation: error.operation, path: error.path.string, errno: error.code.rawValue)
    }
}

extension SymbolError: CustomStringConvertible {
    /// One line, with the remedy where there is one.
    public var description: String {
        switch self {
        case .system(let operation, let path, let code):
            "\(operation) \(path): \(String(cString: strerror(code)))"
        case .kernelAddressesHidden:
            "kernel addresses are hidden: run as root with CAP_SYSLOG, or set sysctl kernel.kptr_restrict to 1 or 0"
        case .noKernelSymbols:
            "no kernel symbols: this kernel was built without CONFIG_KALLSYMS"
        case .malformedELF(let path, let reason):
            "\(path): not a usable ELF file: \(reason)"
        case .tooLarge(let path, let limit):
            "\(path): longer than \(limit) bytes"
        case .leftOut(let path, let reason):
            "\(path): left out: \(reason.words)"
        case .noDWARF(let reason):
            "no file and line: \(reason)"
        case .noUnwindInformation(let path):
            "\(path): no usable call-frame information"
        }
    }
}
