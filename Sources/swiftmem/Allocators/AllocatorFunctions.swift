// SPDX-License-Identifier: Apache-2.0
internal import CMemEvents

/// A function of an allocator, by the shape of its arguments.
struct AllocatorFunction: Hashable {
  let name: String
  let op: memleak_op

  static func == (a: Self, b: Self) -> Bool { a.name == b.name }
  func hash(into hasher: inout Hasher) { hasher.combine(name) }

  /// The heap: what a file must have most of to be an allocator.
  static let heap: [AllocatorFunction] = [
    .init(name: "malloc", op: MEMLEAK_SIZE),
    .init(name: "calloc", op: MEMLEAK_CALLOC),
    .init(name: "realloc", op: MEMLEAK_REALLOC),
    .init(name: "free", op: MEMLEAK_FREE),
    .init(name: "posix_memalign", op: MEMLEAK_POSIX_MEMALIGN),
    .init(name: "aligned_alloc", op: MEMLEAK_ALIGNED),
    .init(name: "memalign", op: MEMLEAK_ALIGNED),
    .init(name: "valloc", op: MEMLEAK_OUTER_SIZE),
    .init(name: "pvalloc", op: MEMLEAK_OUTER_SIZE),
    .init(name: "reallocarray", op: MEMLEAK_REALLOCARRAY),
  ]

  /// Present in some only: nobody misses them.
  static let extras: [AllocatorFunction] = [
    .init(name: "cfree", op: MEMLEAK_FREE),
    .init(name: "free_sized", op: MEMLEAK_FREE),
    .init(name: "free_aligned_sized", op: MEMLEAK_FREE),
  ]

  static let mappings: [AllocatorFunction] = [
    .init(name: "mmap", op: MEMLEAK_MMAP),
    .init(name: "munmap", op: MEMLEAK_MUNMAP),
    .init(name: "mremap", op: MEMLEAK_MREMAP),
  ]

  /// C++'s operator new, plain and for arrays, with alignment, with nothrow.
  static let new: [AllocatorFunction] = ["_Znwm", "_Znam"].flatMap { name in
    ["", "RKSt9nothrow_t", "St11align_val_t", "St11align_val_tRKSt9nothrow_t"]
      .map { .init(name: name + $0, op: MEMLEAK_OUTER) }
  }

  /// Names that only allocators have whose operator new is not malloc: jemalloc,
  /// tcmalloc, mimalloc.
  static let ownNew = ["mallctl", "je_mallctl", "tc_new", "mi_new"]

  /// C++'s operator delete, with and without size and alignment.
  static let delete: [AllocatorFunction] = ["_ZdlPv", "_ZdaPv"].flatMap { name in
    [
      "", "m", "St11align_val_t", "mSt11align_val_t", "RKSt9nothrow_t",
      "St11align_val_tRKSt9nothrow_t",
    ]
    .map { .init(name: name + $0, op: MEMLEAK_FREE) }
  }

  /// How allocators that live beside the C library's call their functions: jemalloc,
  /// Rust's jemalloc, tcmalloc, mimalloc, rpmalloc, TBB.
  static let prefixes = ["", "je_", "_rjem_", "_rjem_je_", "tc_", "mi_", "rp", "scalable_"]

  func prefixed(_ prefix: String) -> AllocatorFunction {
    AllocatorFunction(name: prefix + name, op: op)
  }
}
