// SPDX-License-Identifier: Apache-2.0
import CBPFObjects
import LibBPF
import Probes
import Testing

/// The embedded objects, opened without privilege.
@Suite struct ObjectContract {
    static let names: [String] = {
        var names: [String] = []
        while let image = bpf_object_image_at(names.count) {
            names.append(String(cString: image.pointee.name))
        }
        return names
    }()

    static func image(_ name: String) -> UnsafeRawBufferPointer {
        guard let image = bpf_object_image(name) else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(start: image.pointee.bytes, count: image.pointee.size)
    }

    @Test("each object opens, has programs, and a losses map for its causes", arguments: names)
    func opens(name: String) throws {
        let object = try OpenObject(image: Self.image(name).bytes, name: name)
        #expect(!object.programs.isEmpty)
        let losses = try #require(object.maps.first { $0.name == "losses" })
        #expect(losses.type == "percpu_array")
        #expect(losses.keySize == 4)
        #expect(losses.valueSize == 8)
        for program in object.programs {
            if case .other(let section) = program.attachPoint {
                Issue.record("\(program.name): section \(section) is no hook the loader knows")
            }
        }
    }

    @Test("the licence lets the kernel's helpers be used", arguments: names)
    func licence(name: String) {
        let bytes = Array(Self.image(name))
        let text = Array("Dual BSD/GPL\0".utf8)
        #expect(bytes.indices.contains { bytes[$0...].starts(with: text) })
    }

    @Test("oomkill's ring and tables are of the sizes its records say")
    func oomkill() throws {
        let object = try OpenObject(image: Self.image("oomkill").bytes, name: "oomkill")
        let maps = Dictionary(uniqueKeysWithValues: object.maps.map { ($0.name, $0) })
        #expect(maps["events"]?.type == "ringbuf")
        #expect(maps["events"]?.maxEntries == 1 << 20)
        #expect(maps["cmdlines"]?.valueSize == 260)
        #expect(maps[".rodata.config"]?.valueSize == 16 + 16 * 16)
        #expect(
            object.programs.first { $0.name == "oom_victim_btf" }?.attachPoint
                == .btfTracepoint("mark_victim"))
    }
}

@Suite struct Versions {
    @Test func releases() {
        #expect(KernelVersion(release: "6.12.0-1-amd64") == KernelVersion(6, 12))
        #expect(KernelVersion(release: "5.10") == KernelVersion(5, 10))
        #expect(KernelVersion(release: "7.2-rc1") == KernelVersion(7, 2))
        #expect(KernelVersion(release: "") == nil)
        #expect(KernelVersion(release: "x.y") == nil)
        #expect(KernelVersion(6, 12) > KernelVersion(6, 2))
        #expect(KernelVersion.running > KernelVersion(5, 0))
    }
}
