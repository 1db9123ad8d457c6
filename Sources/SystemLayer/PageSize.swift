// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// The size of the running kernel's pages, in bytes: a power of two. 4096 on x86-64; 4096, 16 384 or 65 536 on arm64.
public let pageBytes: Int = sysconf(Int32(_SC_PAGESIZE))
