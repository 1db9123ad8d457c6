// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import SystemLayer
import SystemPackage
import Testing

/// Files that others have named.
@Suite struct RegularFileTests {
    /// A root directory of a process, with what its user may have put there; removed with it.
    private final class Root {
        let path = FilePath("/tmp/regular-\(getpid())-\(UInt32.random(in: 0 ... .max))")

        init() throws {
            for name in ["", "a", "a/b"] { try #require(mkdir(path.appending(name).string, 0o755) == 0) }
            try write("a/b/file", "inside")
            try write("top", "top")
            try link("a/link", "b/file")
            try link("a/absolute", "/top")
            try link("a/up", "../../../../../../top")
            try link("a/magic", "/proc/self/exe")
            try link("directory", "a/b")
            try #require(mkfifo(path.appending("pipe").string, 0o600) == 0)
        }

        deinit { _ = system("rm -rf '\(path)'") }

        private func write(_ name: String, _ text: String) throws {
            let file = try #require(fopen(path.appending(name).string, "w"))
            fputs(text, file)
            fclose(file)
        }

        private func link(_ name: String, _ to: String) throws {
            try #require(symlink(to, path.appending(name).string) == 0)
        }

        func read(_ name: String, links: Bool = true, atMost: Int64 = .max) throws(FileError) -> String {
            let file = try OpenFile(regular: FilePath(name), below: path, followsLinks: links, atMost: atMost)
            return String(decoding: try file.readAll(), as: UTF8.self)
        }

        func refusal(_ name: String, links: Bool = true, atMost: Int64 = .max) -> Errno? {
            do throws(FileError) {
                _ = try read(name, links: links, atMost: atMost)
                return nil
            } catch {
                return error.code
            }
        }
    }

    @Test("links lead nowhere but below the root")
    func links() throws {
        let root = try Root()
        for name in ["a/b/file", "/a/b/file", "a/link", "directory/file", "a/../a/b/file"] {
            #expect(try root.read(name) == "inside", "\(name)")
        }
        for name in ["top", "a/absolute", "a/up", "../../../top"] { #expect(try root.read(name) == "top", "\(name)") }
        #expect(root.refusal("a/none") == .noSuchFileOrDirectory)
        // there is no /proc below the root
        #expect(root.refusal("a/magic") == .noSuchFileOrDirectory)
    }

    @Test("without links: none, in no part of the path")
    func noLinks() throws {
        let root = try Root()
        #expect(try root.read("a/b/file", links: false) == "inside")
        for name in ["a/link", "a/absolute", "a/up", "directory/file"] {
            #expect(root.refusal(name, links: false) == .tooManySymbolicLinkLevels, "\(name)")
        }
    }

    @Test("links of /proc are not followed below a root, and are where the path is one's own")
    func magic() throws {
        let own = "/proc/self/exe"
        #expect(throws: FileError(operation: "open", path: FilePath(own), code: .tooManySymbolicLinkLevels)) {
            _ = try OpenFile(regular: FilePath(own), below: "/", followsLinks: true)
        }
        #expect(try OpenFile(regular: FilePath(own)).status().st_size > 0)
    }

    @Test("regular files alone, and none too large")
    func kinds() throws {
        let root = try Root()
        for name in ["pipe", "a", "directory"] { #expect(root.refusal(name) == .notSupported, "\(name)") }
        #expect(throws: FileError(operation: "open", path: "/dev/zero", code: .notSupported)) {
            _ = try OpenFile(regular: "/dev/zero")
        }
        #expect(try root.read("top", atMost: 3) == "top")
        #expect(root.refusal("top", atMost: 2) == .fileTooLarge)
    }

    @Test("where the kernel has no openat2, name by name: no link at all")
    func byNames() throws {
        let root = try Root()
        let top = open(root.path.string, O_RDONLY | O_DIRECTORY)
        defer { close(top) }
        func opens(_ name: String) -> Int32 {
            let raw = clinux_open_by_names(top, name)
            if raw >= 0 { close(raw) }
            return min(raw, 0)
        }
        #expect(opens("a/b/file") == 0)
        #expect(opens("/a//b/file") == 0)
        #expect(opens("a/link") == -ELOOP)
        #expect(opens("directory/file") == -ELOOP)
        #expect(opens("a/../top") == -EXDEV)
        #expect(opens("a/none") == -ENOENT)
        #expect(opens("top/file") == -ENOTDIR)
        #expect(opens(String(repeating: "n", count: 256)) == -EXDEV)
    }
}
