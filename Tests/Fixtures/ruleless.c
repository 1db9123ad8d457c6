// SPDX-License-Identifier: Apache-2.0
//
// Leaks 300 × 64 bytes below code that has no call-frame information and can't be followed, as it jumps through a
// register, but keeps a frame pointer: what node's builtins are.
#include <stdlib.h>

void *volatile sink;

__attribute__((noinline)) void leak_below(void);
void leak_below(void)
{
	sink = malloc(64);
	__asm__ volatile("" : : : "memory");
}

void builtin(void (*call)(void));
#if defined(__x86_64__)
__asm__(".text\n"
	".type builtin, @function\n"
	"builtin:\n"
	"	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"	push %rbx\n"
	"	push %r12\n"
	"	lea 1f(%rip), %rax\n"
	"	jmp *%rax\n"
	"1:	call *%rdi\n"
	"	pop %r12\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n"
	".size builtin, . - builtin\n");
#else
__asm__(".text\n"
	".type builtin, @function\n"
	"builtin:\n"
	"	stp x29, x30, [sp, #-16]!\n"
	"	mov x29, sp\n"
	"	blr x0\n"
	"	ldp x29, x30, [sp], #16\n"
	"	ret\n"
	".size builtin, . - builtin\n");
#endif

__attribute__((noinline)) void above(void);
void above(void)
{
	builtin(leak_below);
	__asm__ volatile("" : : : "memory");
}

int main(void)
{
	for (int i = 0; i < 300; i++)
		above();
	return 0;
}
