// SPDX-License-Identifier: Apache-2.0
internal import LibBPF
internal import SystemLayer

extension RunningKernel {
    func ask(_ requirement: Requirement) -> Support {
        switch requirement {
        case .feature(let feature): return feature.probe(self)
        case .mounted(let type):
            return Self.mounts(ProcFS.text("self/mountinfo"), have: type)
                ? .supported : .unsupported("no \(type) is mounted")
        case .tracepointArgument(let name, let index, let type):
            return argument(types()?.btf.tracepointArguments(name), index, type, of: name)
        case .functionArgument(let name, let index, let type):
            return argument(types()?.btf.functionArguments(name), index, type, of: name)
        case .returnsValue(let name):
            guard let types = types() else { return noBTF }
            return types.btf.returnsValue(name)
                ? .supported : .unsupported("\(name) returns nothing here")
        case .functionResult(let name, let type):
            guard let types = types() else { return noBTF }
            guard let result = types.btf.functionResult(name) else {
                return .unsupported("this kernel has no function \(name)")
            }
            return result == type
                ? .supported : .unsupported("\(name) returns \(result), not \(type), here")
        case .lacksFunction(let name):
            guard let types = types() else { return noBTF }
            return types.btf.functionID(name) == nil
                ? .supported : .unsupported("this kernel has function \(name)")
        case .lacksStruct(let name):
            guard let types = types() else { return noBTF }
            return types.btf.hasStruct(name)
                ? .unsupported("this kernel still has struct \(name)") : .supported
        case .hasStruct(let name):
            guard let types = types() else { return noBTF }
            return types.btf.hasStruct(name) ? .supported : .unsupported("this kernel has no struct \(name)")
        }
    }

    /// Is a file system of a type among the mounts?
    ///
    /// - Parameter mountinfo: /proc/self/mountinfo, as proc(5) has it: the type is behind the optional fields' dash.
    static func mounts(_ mountinfo: String, have type: String) -> Bool {
        mountinfo.split(separator: "\n").contains { line in
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { return false }
            return fields[dash + 1] == type
        }
    }

    var noBTF: Support { .unsupported("this kernel has no BTF type information") }

    private func argument(_ types: [String]?, _ index: Int, _ type: String, of name: String)
        -> Support
    {
        guard self.types() != nil else { return noBTF }
        guard let types else { return .unsupported("this kernel has no \(name)") }
        guard types.indices.contains(index) else {
            return .unsupported("\(name) has no argument \(index) here")
        }
        return types[index] == type
            ? .supported
            : .unsupported("\(name) has \(types[index]), not \(type), as argument \(index) here")
    }
}
