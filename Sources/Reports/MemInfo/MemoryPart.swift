// SPDX-License-Identifier: Apache-2.0

/// A part of the machine's memory. The raw values are the names in JSON, and stay.
public enum MemoryPart: String, Hashable, Sendable, CaseIterable {
    case freeMemory = "free_memory"
    case free
    case freePerCPULists = "free_percpu_lists"
    case cma
    case unaccepted
    case processMemory = "process_memory"
    case anon
    case swapCache = "swap_cache"
    case pageCache = "page_cache"
    case file
    case buffers
    case lruOther = "lru_other"
    case sharedMemory = "shared_memory"
    case tmpfs
    case posixShm = "posix_shm"
    case sysvShm = "sysv_shm"
    case memfd
    case sharedAnonymous = "shared_anonymous"
    case shmemDeleted = "shmem_deleted"
    case gpuObjects = "gpu_objects"
    case shmemOther = "shmem_other"
    case hugetlb
    case kernel
    case slabReclaimable = "slab_reclaimable"
    case slabUnreclaimable = "slab_unreclaimable"
    case kernelReclaimable = "kernel_reclaimable"
    case pageTables = "page_tables"
    case pageTablesSecondary = "page_tables_secondary"
    case kernelStack = "kernel_stack"
    case vmalloc
    case percpu
    case zsmalloc
    case zswap
    case gpuActive = "gpu_active"
    case gpuReclaimable = "gpu_reclaimable"
    case pipes
    case sockets
    case packetRings = "packet_rings"
    case perfRings = "perf_rings"
    case bpfRings = "bpf_rings"
    case balloon

    /// The part that it is a part of; nil: of the whole.
    public var parent: MemoryPart? {
        switch self {
        case .freeMemory, .processMemory, .pageCache, .sharedMemory, .hugetlb, .kernel, .balloon: nil
        case .free, .freePerCPULists, .cma, .unaccepted: .freeMemory
        case .anon, .swapCache: .processMemory
        case .file, .buffers, .lruOther: .pageCache
        case .tmpfs, .posixShm, .sysvShm, .memfd, .sharedAnonymous, .shmemDeleted, .gpuObjects, .shmemOther:
            .sharedMemory
        case .slabReclaimable, .slabUnreclaimable, .kernelReclaimable, .pageTables, .pageTablesSecondary,
            .kernelStack, .vmalloc, .percpu, .zsmalloc, .zswap, .gpuActive, .gpuReclaimable, .pipes, .sockets,
            .packetRings, .perfRings, .bpfRings:
            .kernel
        }
    }

    /// Those that have no parts of their own.
    public static let leaves: [MemoryPart] = {
        let parents = Set(allCases.compactMap(\.parent))
        return allCases.filter { !parents.contains($0) }
    }()

    /// In words.
    public var label: String {
        switch self {
        case .freeMemory: "free"
        case .free: "free lists"
        case .freePerCPULists: "free lists of CPUs"
        case .cma: "CMA, free"
        case .unaccepted: "not yet accepted"
        case .processMemory: "processes"
        case .anon: "anonymous"
        case .swapCache: "swap cache"
        case .pageCache: "page cache"
        case .file: "files"
        case .buffers: "block devices"
        case .lruOther: "released, still held"
        case .sharedMemory: "shared memory"
        case .tmpfs: "tmpfs"
        case .posixShm: "POSIX, /dev/shm"
        case .sysvShm: "System V"
        case .memfd: "memfd"
        case .sharedAnonymous: "MAP_SHARED anonymous"
        case .shmemDeleted: "deleted, still held"
        case .gpuObjects: "GPU objects"
        case .shmemOther: "not told apart"
        case .hugetlb: "huge pages (hugetlb)"
        case .kernel: "kernel"
        case .slabReclaimable: "slab, reclaimable"
        case .slabUnreclaimable: "slab, unreclaimable"
        case .kernelReclaimable: "other reclaimable"
        case .pageTables: "page tables"
        case .pageTablesSecondary: "secondary page tables"
        case .kernelStack: "kernel stacks"
        case .vmalloc: "vmalloc"
        case .percpu: "per-CPU"
        case .zsmalloc: "zsmalloc"
        case .zswap: "zswap's pool"
        case .gpuActive: "GPU, in use"
        case .gpuReclaimable: "GPU, reclaimable"
        case .pipes: "pipes"
        case .sockets: "queues of sockets"
        case .packetRings: "rings of packet sockets"
        case .perfRings: "rings of perf events"
        case .bpfRings: "rings of BPF programs"
        case .balloon: "balloon"
        }
    }
}
