// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Testing

@testable import swiftmem

@Suite struct SamplerCommandTests {
    @Test("the drop-in of a service")
    func dropIn() throws {
        let lines = try SamplerCommand.dropIn(
            unit: "nginx.service", library: "/usr/lib/swiftmem/libswiftmem-sampler.so", distance: 1 << 20)
        #expect(
            lines == [
                "# /etc/systemd/system/nginx.service.d/swiftmem-sampler.conf",
                "# then: systemctl daemon-reload && systemctl restart nginx", "[Service]",
                "Environment=LD_PRELOAD=/usr/lib/swiftmem/libswiftmem-sampler.so",
                "Environment=SWIFTMEM_SAMPLE_BYTES=1048576",
            ])
        #expect(try SamplerCommand.dropIn(unit: "a@b", library: "/x", distance: nil).count == 4)
    }

    @Test(
        "names that no service has, and paths that LD_PRELOAD would cut",
        arguments: [("", "/x"), ("../x", "/x"), ("a b", "/x"), ("a\nb", "/x"), ("nginx", "/a b/x"), ("nginx", "/a:b")])
    func refused(unit: String, library: String) {
        #expect(throws: Failure.self) { try SamplerCommand.dropIn(unit: unit, library: library, distance: nil) }
    }

    @Test("the library is beside the command, where it is installed, or where it is built")
    func places() {
        func find(_ place: String) -> String? {
            SamplerLibrary.path(beside: "/opt/a/bin/swiftmem") { $0 == place }
        }
        for place in ["/opt/a/bin/", "/opt/a/lib/swiftmem/", "/opt/sampler/"] {
            #expect(find(place + SamplerLibrary.name) == place + SamplerLibrary.name)
        }
        #expect(find("/elsewhere/" + SamplerLibrary.name) == nil)
    }

    @Test("options that the sampler in a process can't follow are refused with it")
    func options() throws {
        for words in [["-s", "10"], ["-t"], ["--combined-only"], ["-O", "libc.so.6"], ["--follow"]] {
            let arguments = try MemLeak.parse(["--sampled", "-c", "true"] + words).arguments
            #expect(throws: Failure.self) { try MemLeakRequest(arguments) }
        }
        #expect(throws: Failure.self) { try MemLeakRequest(try MemLeak.parse(["--sampled"]).arguments) }
    }
}
