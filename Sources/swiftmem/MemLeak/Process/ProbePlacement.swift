// SPDX-License-Identifier: Apache-2.0
internal import CDisassembly
internal import Symbols
internal import SystemLayer
internal import SystemPackage

/// Where in a function its probe goes. Everything that attaches asks here.
///
/// The kernel emulates some instructions and single-steps others out of line, which is
/// a second trap and the greater part of a probe's cost: the first emulated one is
/// taken where the way to it is straight and leaves all as it was at the entry.
/// `SWIFTMEM_PLACEMENT=entry` keeps to the entries.
struct ProbePlacement {
    /// Opened by this process's own path.
    let path: String
    let reading: FileReading
    private let owner: FileOwner

    init(path: String, _ reading: FileReading) {
        self.path = path
        self.reading = reading
        owner = FileOwner(try? FileIdentity(path: FilePath(path)))
    }

    /// Bytes from the start of the file.
    ///
    /// The place is reached by every call once, with the arguments, the stack and frame
    /// pointers and the return address as at the entry.
    func offset(of function: FunctionLocation) -> UInt64 {
        function.fileOffset + distance(of: function)
    }

    private func distance(of function: FunctionLocation) -> UInt64 {
        // A larger function is not read whole, so that no jump in it is overlooked.
        guard function.size > 0, function.size <= 1 << 16, !Environment.keepsToEntries,
            let code = Self.bytes(path, at: function.fileOffset, count: Int(function.size))
        else { return 0 }
        // where it can't be asked the entry is as good, but for the cost
        return (try? firstEmulated(code)).flatMap { $0 < function.size ? $0 : nil } ?? 0
    }

    private func firstEmulated(_ code: [UInt8]) throws(SymbolError) -> UInt64? {
        switch try reading.place(of: FilePath(path), owner) {
        case .here: return Self.firstEmulated(code[...])
        case .apart:
            var message = MessageWriter()
            message.add(code)
            var answer = try reading.ask(.placement, message, of: owner, path: FilePath(path))
            return answer.number()
        }
    }

    /// The other end.
    static func answer(_ request: inout ParserRequest) -> MessageWriter {
        var answer = MessageWriter()
        answer.add(request.message.data(most: 1 << 16).map(firstEmulated) ?? 0)
        return answer
    }

    private static func firstEmulated(_ code: ArraySlice<UInt8>) -> UInt64 {
        code.withUnsafeBufferPointer { code in
            // SAFETY: the code is `count` bytes long and read during the call only.
            code.baseAddress.map { UInt64(firstEmulated($0, code.count)) } ?? 0
        }
    }

    private static func firstEmulated(_ code: UnsafePointer<UInt8>, _ size: Int) -> Int {
        #if arch(arm64)
            simulated_instruction(code, size)
        #else
            emulated_instruction(code, size)
        #endif
    }

    /// nil where they can't be read in full.
    private static func bytes(_ path: String, at offset: UInt64, count: Int) -> [UInt8]? {
        do throws(FileError) {
            let bytes = try OpenFile(reading: FilePath(path)).read(at: offset, count: count)
            return bytes.count == count ? bytes : nil
        } catch {
            return nil
        }
    }
}
