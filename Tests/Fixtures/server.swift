// SPDX-License-Identifier: Apache-2.0
//
// A small HTTP server on 127.0.0.1: threads that wait for connections, and answers made by async code of several tasks,
// with dictionaries, sorting, closures and JSON. Built with -O by Scripts/stack-share.
import Dispatch
import Foundation

struct Entry: Codable {
    let name: String
    let size: Int
    let tags: [String: String]
}

func entries(_ seed: Int) async -> [Entry] {
    await withTaskGroup(of: [Entry].self) { group in
        for part in 0..<3 {
            group.addTask {
                (0..<8).map { number in
                    Entry(
                        name: "entry \(seed) of part \(part), number \(number)", size: (seed &* 31 &+ number) % 977,
                        tags: ["part": "\(part)", "number": String(number, radix: 2)])
                }
            }
        }
        return await group.reduce(into: []) { $0 += $1 }
    }
}

func answer(_ path: String) async throws -> Data {
    let seed = path.utf8.reduce(0) { $0 &* 7 &+ Int($1) }
    let sorted = await entries(seed).sorted { ($0.size, $0.name) < ($1.size, $1.name) }
    return try JSONEncoder().encode(Dictionary(grouping: sorted) { "\($0.size % 10)" })
}

func serve(_ connection: Int32) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        let got = read(connection, &buffer, buffer.count)
        guard got > 0 else { break }
        let path = String(decoding: buffer[..<got], as: UTF8.self).split(separator: " ").dropFirst().first ?? "/"
        let done = DispatchSemaphore(value: 0)
        let reply = Reply()
        Task {
            reply.body = (try? await answer(String(path))) ?? Data()
            done.signal()
        }
        done.wait()
        let head = "HTTP/1.1 200 OK\r\nContent-Length: \(reply.body.count)\r\n\r\n"
        let bytes = Array(head.utf8) + reply.body
        guard bytes.withUnsafeBytes({ write(connection, $0.baseAddress, $0.count) }) == bytes.count else { break }
    }
    close(connection)
}

final class Reply: @unchecked Sendable {
    var body = Data()
}

signal(SIGPIPE, SIG_IGN)
let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
var yes: Int32 = 1
setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
var address = sockaddr_in()
address.sin_family = sa_family_t(AF_INET)
address.sin_port = in_port_t(UInt16(CommandLine.arguments.dropFirst().first ?? "7395") ?? 7395).bigEndian
address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
let bound = withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
}
guard bound == 0, listen(listener, 64) == 0 else { exit(1) }
while true {
    let connection = accept(listener, nil, nil)
    guard connection >= 0 else { continue }
    Thread.detachNewThread { serve(connection) }
}
