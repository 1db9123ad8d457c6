// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// The smallest fentry program: the self-test asks whether a kernel attaches and runs it.

__attribute__((section("fentry/vfs_read"), used)) int selftest(void *context)
{
	(void)context;
	return 0;
}

__attribute__((section("license"), used)) char licence[] = "GPL";
