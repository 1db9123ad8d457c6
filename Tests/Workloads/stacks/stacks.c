// SPDX-License-Identifier: Apache-2.0
//
// stacks KIND: one stack of that kind. To be built with several sets of options.
#define _GNU_SOURCE
#define LEAK_HERE
#include "hold.h"
#include <alloca.h>
#include <dlfcn.h>
#include <ftw.h>
#include <pthread.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

#define APART __attribute__((noinline))
#define AFTER __asm__ volatile("" ::: "memory") // no tail call

static volatile int one = 1;

APART int plain(int depth)
{
	if (depth > 0)
		one = plain(depth - 1);
	else if (one)
		leak_and_hold();
	AFTER;
	return one;
}

// glibc's own frames in mid-stack
static int compare(const void *a, const void *b)
{
	plain(1);
	AFTER;
	return *(const int *)a - *(const int *)b;
}
APART void in_qsort(void)
{
	int v[3] = { 3, 1, 2 };
	qsort(v, 3, sizeof *v, compare);
	AFTER;
}
APART void in_tsearch(void)
{
	static int a = 1, b = 2;
	void *root = NULL;
	tsearch(&a, &root, compare);
	tsearch(&b, &root, compare);
	AFTER;
}
static int visit(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
	(void)path, (void)s, (void)type, (void)ftw;
	plain(0);
	AFTER;
	return 0;
}
APART void in_nftw(void)
{
	nftw("/proc/self/fd", visit, 4, FTW_PHYS);
	AFTER;
}
static void at_exit(void)
{
	plain(0);
	AFTER;
}
static void once(void)
{
	plain(0);
	AFTER;
}
APART void in_once(void)
{
	static pthread_once_t control = PTHREAD_ONCE_INIT;
	pthread_once(&control, once);
	AFTER;
}
static void *thread_main(void *a)
{
	plain(2);
	AFTER;
	return a;
}
APART void in_thread(void)
{
	pthread_t id;
	pthread_create(&id, NULL, thread_main, NULL);
	pthread_join(id, NULL);
	AFTER;
}

// the frame's size is known at run time only
APART void with_alloca(size_t size)
{
	char *p = alloca(size);
	memset(p, 1, size);
	plain(1);
	AFTER;
	one = p[size / 2];
}
// the stack is aligned anew: where the frame was is kept in memory
APART void with_alignment(size_t size)
{
	char wide[128] __attribute__((aligned(64)));
	char *p = alloca(size);
	memset(wide, 1, sizeof wide);
	memset(p, 1, size);
	plain(1);
	AFTER;
	one = wide[one] + p[1];
}
APART void with_large_frame(void)
{
	char big[300000];
	memset(big, one, sizeof big);
	plain(1);
	AFTER;
	one = big[one];
}

static void handler(int number)
{
	(void)number;
	plain(1);
	AFTER;
}
APART void in_signal(int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	static char stack[1 << 16];
	stack_t other = { .ss_sp = stack, .ss_size = sizeof stack };
	sigaltstack(&other, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	AFTER;
}
// the signal comes at a function's first instruction, and where no call is
APART void in_fault(void)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	static char stack[1 << 16];
	stack_t other = { .ss_sp = stack, .ss_size = sizeof stack };
	sigaltstack(&other, NULL);
	sigaction(SIGSEGV, &action, NULL);
	*(volatile int *)(long)(one - 1) = 1;
	AFTER;
}

// the signal comes while the kernel's own library runs, at any of its instructions
#if defined(__x86_64__)
#define INTERRUPTED(context) ((unsigned long)((ucontext_t *)(context))->uc_mcontext.gregs[REG_RIP])
#else
#define INTERRUPTED(context) ((unsigned long)((ucontext_t *)(context))->uc_mcontext.pc)
#endif
static void in_kernel_library(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info;
	unsigned long start = getauxval(AT_SYSINFO_EHDR);
	if (start && INTERRUPTED(context) - start < 8192)
		plain(1);
	AFTER;
}
APART void in_vdso(void)
{
	struct sigaction action = { .sa_sigaction = in_kernel_library, .sa_flags = SA_SIGINFO };
	struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	struct timespec now;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 1000000000 && one; i++)
		clock_gettime(CLOCK_MONOTONIC, &now);
	AFTER;
}

// the call is the last instruction: the return address is another function's
__attribute__((noreturn)) APART void never_returns(void)
{
	plain(1);
	AFTER;
	_exit(1);
}
__attribute__((noreturn)) APART void ends_in_call(void)
{
	never_returns();
}

static ucontext_t outer;
static void on_context(void)
{
	plain(1);
	AFTER;
}
APART void in_context(void)
{
	static ucontext_t inner;
	static char stack[1 << 16];
	getcontext(&inner);
	inner.uc_stack = (stack_t){ .ss_sp = stack, .ss_size = sizeof stack };
	inner.uc_link = &outer;
	makecontext(&inner, on_context, 0);
	swapcontext(&outer, &inner);
	AFTER;
}

static void allocate(void)
{
	leaked = malloc(100);
	AFTER;
}

// code that no file has
APART void in_jit(void)
{
#if defined(__x86_64__)
	// push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret
	static const unsigned char code[] = { 0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3 };
#else
	// stp x29, x30, [sp, #-16]!; mov x29, sp; blr x0; ldp x29, x30, [sp], #16; ret
	static const unsigned code[] = { 0xa9bf7bfd, 0x910003fd, 0xd63f0000, 0xa8c17bfd, 0xd65f03c0 };
#endif
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(p, code, sizeof code);
	__builtin___clear_cache(p, (char *)p + sizeof code);
	void (*call)(void (*)(void)) = (void (*)(void (*)(void)))p;
	call(allocate); // where the tracer learns of the code
	usleep(1000000);
	call(at_exit);
	AFTER;
}

// a library that is loaded during the trace, argv[2]
APART void in_library(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	void (*call)(void (*)(void)) = library ? (void (*)(void (*)(void)))dlsym(library, "call_back") : NULL;
	if (!call)
		_exit(2);
	call(allocate);
	usleep(1000000);
	call(at_exit);
	AFTER;
}

#ifdef LIBRARY
__attribute__((visibility("default"))) void call_back(void (*f)(void))
{
	f();
	AFTER;
}
#endif

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL); // who starts this may have blocked what it raises
	wait_for_go();
	if (!strcmp(kind, "plain"))
		plain(10);
	if (!strcmp(kind, "deep"))
		plain(300);
	if (!strcmp(kind, "qsort"))
		in_qsort();
	if (!strcmp(kind, "tsearch"))
		in_tsearch();
	if (!strcmp(kind, "nftw"))
		in_nftw();
	if (!strcmp(kind, "once"))
		in_once();
	if (!strcmp(kind, "thread"))
		in_thread();
	if (!strcmp(kind, "exit")) {
		atexit(at_exit);
		return 0;
	}
	if (!strcmp(kind, "alloca"))
		with_alloca(1000 + (size_t)argc);
	if (!strcmp(kind, "aligned"))
		with_alignment(100 + (size_t)argc);
	if (!strcmp(kind, "large"))
		with_large_frame();
	if (!strcmp(kind, "signal"))
		in_signal(0);
	if (!strcmp(kind, "altstack"))
		in_signal(SA_ONSTACK);
	if (!strcmp(kind, "fault"))
		in_fault();
	if (!strcmp(kind, "vdso"))
		in_vdso();
	if (!strcmp(kind, "noreturn"))
		ends_in_call();
	if (!strcmp(kind, "context"))
		in_context();
	if (!strcmp(kind, "jit"))
		in_jit();
	if (!strcmp(kind, "library") && argc > 2)
		in_library(argv[2]);
	return 1;
}
