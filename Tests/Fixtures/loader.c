/* SPDX-License-Identifier: Apache-2.0 */
/* A program interpreter that never comes to the program: it waits, or with -DSPINS burns its time. */
#include <sys/syscall.h>

static void wait_for_ever(void)
{
#ifdef SPINS
	__asm__ volatile("" ::: "memory");
#elif defined(__x86_64__)
	long number = SYS_pause;

	__asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
#else
	register long number __asm__("x8") = SYS_ppoll;
	register long files __asm__("x0") = 0, count __asm__("x1") = 0, time __asm__("x2") = 0, set __asm__("x3") = 0;

	__asm__ volatile("svc 0" : "+r"(files) : "r"(number), "r"(count), "r"(time), "r"(set) : "memory");
#endif
}

void _start(void)
{
	for (;;)
		wait_for_ever();
}
