// SPDX-License-Identifier: Apache-2.0
internal import CLibbpf
internal import Glibc

/// A program attached to a hook. Letting go of it detaches.
///
/// Keep it in a variable: `_ = object.attach(…)` detaches at once.
public struct Link: ~Copyable {
    enum Raw {
        case libbpf(OpaquePointer)
        case descriptor(Int32)
    }
    let raw: Raw

    init(_ raw: Raw) { self.raw = raw }

    deinit { raw.detach() }

    /// The link's descriptor, for reading an iterator or asking about the link.
    public var descriptor: Int32 {
        switch raw {
        case .libbpf(let link): bpf_link__fd(link)
        case .descriptor(let descriptor): descriptor
        }
    }
}

extension Link.Raw {
    func detach() {
        switch self {
        case .libbpf(let link): bpf_link__destroy(link)
        case .descriptor(let descriptor): close(descriptor)
        }
    }
}

/// Many links, detached together: the kernel lets go of a user probe only when no CPU can be in it any more, and
/// such waits can be one wait.
public struct LinkSet: ~Copyable {
    private var links: [Link.Raw] = []

    public init() {}

    /// Takes a link over.
    public mutating func insert(_ link: consuming Link) {
        links.append(link.release())
    }

    public var count: Int { links.count }

    deinit {
        var handles = links.map { link in
            switch link {
            case .libbpf(let link): clibbpf_handle(link: link, descriptor: -1)
            case .descriptor(let descriptor): clibbpf_handle(link: nil, descriptor: descriptor)
            }
        }
        // SAFETY: `count` handles, each owned by this set alone; the call has closed all when it returns.
        clibbpf_detach_all(&handles, handles.count)
    }
}

extension Link {
    /// Gives the handle away, undetached.
    fileprivate consuming func release() -> Raw {
        let raw = self.raw
        discard self
        return raw
    }
}
