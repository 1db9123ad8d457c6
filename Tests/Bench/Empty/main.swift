// SPDX-License-Identifier: Apache-2.0
import Glibc
import LibBPF
import TestObjects

// bench-empty PROGRAM...: attaches these programs of Tests/TestObjects/empty.bpf.c, which do nothing,
// says so, and stays until its standard input ends.

let names = Array(CommandLine.arguments.dropFirst())
do throws(BPFError) {
    // SAFETY: the image is a constant of this program, of that size.
    let image = UnsafeRawBufferPointer(start: empty_image(), count: empty_size())
    let object = try OpenObject(image: image.bytes, name: "empty")
    try object.autoload(only: Set(names))
    let loaded = try object.load()
    var links = LinkSet()
    for name in names { links.insert(try loaded.program(name).attach()) }
    print("attached")
    fflush(nil)
    while readLine() != nil {}
    // kept to here: letting go of them detaches
    _ = links.count
} catch {
    let words = Array("bench-empty: \(error)\n".utf8)
    _ = write(STDERR_FILENO, words, words.count)
    exit(1)
}
