// SPDX-License-Identifier: Apache-2.0
public import ArgumentParser
public import Unwind

extension StackMode: ExpressibleByArgument {
    public static var allValueStrings: [String] { offered.map(\.rawValue) }
}
