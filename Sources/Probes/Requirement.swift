// SPDX-License-Identifier: Apache-2.0

/// What must be true of a kernel, beyond its having the hook, for a rung's numbers to be right.
public enum Requirement: Hashable, Sendable {
    /// A tracepoint's argument has this type, spelt as `KernelBTF.tracepointArguments` does.
    case tracepointArgument(String, Int, String)
    /// A function's argument has this type.
    case functionArgument(String, Int, String)
    /// A function gives a value back.
    case returnsValue(String)
    /// A function gives back a value of this type, spelt as `KernelBTF.tracepointArguments` does.
    case functionResult(String, String)
    /// The kernel has no function of this name, which would do a part of what the rung sees.
    case lacksFunction(String)
    /// The kernel has no struct of this name: what it stood for is done otherwise.
    case lacksStruct(String)
    /// The kernel has a struct of this name, which stands for something it can.
    case hasStruct(String)
    /// A file system of this type is mounted, for this process to see.
    case mounted(String)
    /// The kernel has a feature.
    case feature(KernelFeature)
}
