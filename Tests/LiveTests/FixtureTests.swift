// SPDX-License-Identifier: Apache-2.0
import Testing

/// Run alone before the kernel matrix, it compiles for the guests.
@Suite(.serialized, .recorded) struct FixtureTests {
    @Test("fixtures compile", arguments: Fixture.all)
    func compile(fixture: Fixture) throws { _ = try fixture.path() }

    @Test("programs to unwind compile", arguments: LiveTests.Unwinding.programs.keys.sorted())
    func stacks(name: String) throws { _ = try LiveTests.Unwinding.build(name) }
}
