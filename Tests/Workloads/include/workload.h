// SPDX-License-Identifier: Apache-2.0
//
// What every known-truth workload shares: one-line errors, clean-up that also happens on SIGTERM,
// the hand-shake with a tracer, and a writer for the one line of JSON.
// Include it before any other header: it defines _GNU_SOURCE.
#ifndef SWIFTMEM_WORKLOAD_H
#define SWIFTMEM_WORKLOAD_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Exit status, after sysexits.h: 64 wrong options, 69 this machine can't (no cgroup, no swap device...), 1 the rest.
enum { W_FAILED = 1, W_USAGE = 64, W_UNAVAILABLE = 69 };

// The program's own name, for errors and for the "workload" key.
static const char *w_name = "workload";

// ---- clean-up -----------------------------------------------------------------------------------------------
// A fixed list undone last-in-first-out. Everything done here is async-signal-safe, as a signal handler does it too.

enum w_undo_kind { W_UNDO_NONE, W_UNDO_RESERVED, W_UNDO_PROCESS, W_UNDO_FILE, W_UNDO_DIRECTORY, W_UNDO_SHM, W_UNDO_SHM_OF };
static struct w_undo {
    volatile int kind;
    pid_t pid;
    int shmid;
    char path[256];
} w_undos[256];
static volatile int w_undo_count;
static volatile pid_t w_undo_owner; // only the process that made a thing removes it: a forked child inherits the list

static inline struct w_undo *w_undo_slot(void) {
    if (w_undo_owner != getpid()) { // first use, or first use in a forked child: what is listed belongs to the parent
        w_undo_count = 0;
        w_undo_owner = getpid();
    }
    for (int i = 0; i < w_undo_count; i++)
        if (w_undos[i].kind == W_UNDO_NONE)
            return &w_undos[i];
    if (w_undo_count == (int)(sizeof w_undos / sizeof w_undos[0])) {
        fprintf(stderr, "%s: more to clean up than the list holds\n", w_name);
        abort();
    }
    w_undos[w_undo_count].kind = W_UNDO_NONE;
    return &w_undos[w_undo_count++];
}

/// Kill (SIGKILL) and reap this child when the program ends in any way.
static inline void w_undo_process(pid_t pid) {
    struct w_undo *u = w_undo_slot();
    u->pid = pid;
    u->kind = W_UNDO_PROCESS;
}

/// Unlink this file (or rmdir this directory) when the program ends in any way.
static inline void w_undo_path(enum w_undo_kind kind, const char *path) {
    struct w_undo *u = w_undo_slot();
    snprintf(u->path, sizeof u->path, "%s", path);
    u->kind = kind;
}

/// A place in the list for one System V segment after another.
static inline struct w_undo *w_reserve_shm(void) {
    struct w_undo *u = w_undo_slot();
    u->kind = W_UNDO_RESERVED;
    return u;
}

/// Remove this segment when the program ends in any way (-1: there is none any more).
static inline void w_undo_shm(struct w_undo *place, int shmid) {
    place->kind = W_UNDO_RESERVED;
    place->shmid = shmid;
    if (shmid >= 0)
        place->kind = W_UNDO_SHM;
}

/// Remove all segments that this child made, once it is dead.
static inline void w_undo_shm_of(pid_t pid) {
    struct w_undo *u = w_undo_slot();
    u->pid = pid;
    u->kind = W_UNDO_SHM_OF;
}

/// In a child: die with the parent, even when that is killed and cannot clean up.
static inline void w_die_with(pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(W_FAILED);
}

/// The child was reaped: forget it, as its pid may be reused.
static inline void w_forget_process(pid_t pid) {
    if (w_undo_owner != getpid())
        return;
    for (int i = 0; i < w_undo_count; i++)
        if (w_undos[i].kind == W_UNDO_PROCESS && w_undos[i].pid == pid)
            w_undos[i].kind = W_UNDO_NONE;
}

/// Undo everything listed. Async-signal-safe. Returns 0, or the errno of the first thing that could not be undone.
static inline int w_cleanup(void) {
    int failed = 0;
    if (w_undo_owner != getpid())
        return 0;
    for (int i = w_undo_count - 1; i >= 0; i--) // first the processes, as they hold the rest
        if (w_undos[i].kind == W_UNDO_PROCESS) {
            w_undos[i].kind = W_UNDO_NONE;
            kill(w_undos[i].pid, SIGKILL);
            while (waitpid(w_undos[i].pid, NULL, 0) < 0 && errno == EINTR)
                ;
        }
    for (int i = w_undo_count - 1; i >= 0; i--) {
        struct w_undo *u = &w_undos[i];
        int kind = u->kind;
        u->kind = W_UNDO_NONE;
        if (kind == W_UNDO_FILE) {
            if (unlink(u->path) < 0 && errno != ENOENT && !failed)
                failed = errno;
        } else if (kind == W_UNDO_SHM) {
            shmctl(u->shmid, IPC_RMID, NULL);
        } else if (kind == W_UNDO_SHM_OF) {
            struct shmid_ds ds;
            int last = shmctl(0, SHM_INFO, &ds);
            for (int i = 0; i <= last; i++) {
                int id = shmctl(i, SHM_STAT, &ds);
                if (id >= 0 && ds.shm_cpid == u->pid)
                    shmctl(id, IPC_RMID, NULL);
            }
        } else if (kind == W_UNDO_DIRECTORY) {
            // A cgroup stays busy for a moment after its last task died.
            int e = 0;
            for (int tries = 0; tries < 200; tries++) {
                e = rmdir(u->path) < 0 && errno != ENOENT ? errno : 0;
                if (!e)
                    break;
                nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
            }
            if (e && !failed)
                failed = e;
        }
    }
    return failed;
}

static inline void w_on_signal(int number) {
    w_cleanup();
    _exit(128 + number);
}

/// Names the program and makes SIGTERM, SIGINT and SIGHUP clean up before it ends. A closed stdout becomes a write error.
static inline void w_start(const char *name) {
    static char buffer[1 << 16];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer); // stdio's own would be a malloc that a tracer sees
    w_name = name;
    struct sigaction action = {.sa_handler = w_on_signal};
    sigfillset(&action.sa_mask); // nothing interrupts a clean-up
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/// One line on stderr, clean up, exit with this status. With `error` (an errno) not 0 its text follows.
__attribute__((noreturn, format(printf, 3, 4))) static inline void w_die(int status, int error, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (error)
        fprintf(stderr, "%s: %s: %s\n", w_name, text, strerror(error));
    else
        fprintf(stderr, "%s: %s\n", w_name, text);
    w_cleanup();
    _exit(status);
}

// ---- a worker and its guardian ----
// A worker that may die of what it does (an OOM kill), or has threads that a signal handler can't stop, goes on in a
// child; the parent stays behind to clean up.

/// Forks the worker, which waits at the gate: returns 0 in it once w_guard lets it through, its pid in the parent.
static inline pid_t w_fork_worker(int *gate) {
    int ends[2];
    fflush(stdout);
    if (pipe2(ends, O_CLOEXEC) < 0)
        w_die(W_FAILED, errno, "pipe");
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        w_die(W_FAILED, errno, "fork");
    if (pid == 0) {
        char go;
        w_die_with(parent);
        close(ends[1]);
        if (read(ends[0], &go, 1) != 1)
            _exit(W_FAILED);
        close(ends[0]);
        return 0;
    }
    close(ends[0]);
    *gate = ends[1];
    w_undo_process(pid);
    return pid;
}

/// Lets the worker go on, waits for it, cleans up and ends with its status.
__attribute__((noreturn)) static inline void w_guard(pid_t pid, int gate) {
    int status;
    if (write(gate, "g", 1) != 1)
        w_die(W_FAILED, errno, "start the worker");
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            w_die(W_FAILED, errno, "wait for the worker");
    w_forget_process(pid);
    for (int i = 0; status == 0 && i < w_undo_count; i++) // it has removed its own
        if (w_undos[i].kind == W_UNDO_SHM_OF)
            w_undos[i].kind = W_UNDO_NONE;
    if (WIFSIGNALED(status))
        w_die(W_FAILED, 0, "the worker died of signal %d%s", WTERMSIG(status), WTERMSIG(status) == SIGKILL ? " (out of memory?)" : "");
    int e = w_cleanup();
    if (e && !WEXITSTATUS(status))
        w_die(W_FAILED, e, "clean-up");
    _exit(WEXITSTATUS(status));
}

// ---- options ------------------------------------------------------------------------------------------------

/// A whole decimal number in [low, high], or a usage error that names the option.
static inline long long w_number(const char *option, const char *text, long long low, long long high) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < low || value > high)
        w_die(W_USAGE, 0, "--%s %s: a number from %lld to %lld is wanted", option, text, low, high);
    return value;
}

// ---- JSON ---------------------------------------------------------------------------------------------------
// Written straight to stdout; key NULL inside an array.

static bool j_comma;

static inline void j_string(const char *s) {
    putchar('"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static inline void j_key(const char *key) {
    if (j_comma)
        putchar(',');
    j_comma = true;
    if (key) {
        j_string(key);
        putchar(':');
    }
}

static inline void j_open(const char *key, char bracket) {
    j_key(key);
    putchar(bracket);
    j_comma = false;
}

static inline void j_close(char bracket) {
    putchar(bracket);
    j_comma = true;
}

static inline void j_int(const char *key, long long value) {
    j_key(key);
    printf("%lld", value);
}

static inline void j_uint(const char *key, unsigned long long value) {
    j_key(key);
    printf("%llu", value);
}

static inline void j_bool(const char *key, bool value) {
    j_key(key);
    fputs(value ? "true" : "false", stdout);
}

static inline void j_null(const char *key) {
    j_key(key);
    fputs("null", stdout);
}

static inline void j_text(const char *key, const char *value) {
    j_key(key);
    j_string(value);
}

/// Opens the truth line: `{"type":"truth","workload":NAME`.
static inline void j_begin_truth(void) {
    j_comma = false;
    j_open(NULL, '{');
    j_text("type", "truth");
    j_text("workload", w_name);
    j_int("pid", getpid());
}

static inline void j_end_line(void) {
    j_close('}');
    putchar('\n');
    if (fflush(stdout) != 0 || ferror(stdout))
        w_die(W_FAILED, errno, "stdout");
    j_comma = false;
}

// ---- the hand-shake with a tracer ---------------------------------------------------------------------------

/// `--wait`: prints `{"type":"ready","pid":N}` (and, where there are any, the pids that will do the work), then waits
/// for a line on stdin. The end of stdin before a line means that the tracer is gone: nothing is done.
static inline void w_wait(bool wanted, const pid_t *children, int count) {
    if (!wanted)
        return;
    j_open(NULL, '{');
    j_text("type", "ready");
    j_int("pid", getpid());
    if (count) {
        j_open("children", '[');
        for (int i = 0; i < count; i++)
            j_int(NULL, children[i]);
        j_close(']');
    }
    j_end_line();
    for (;;) {
        char c;
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n == 1 && c == '\n')
            return;
        if (n == 0 || (n < 0 && errno != EINTR))
            w_die(W_FAILED, n < 0 ? errno : 0, "stdin ended before the line that starts the work");
    }
}

/// `--hold`: after the truth is printed, waits for the end of stdin.
static inline void w_hold(bool wanted) {
    char ignored[64];
    while (wanted) {
        ssize_t n = read(STDIN_FILENO, ignored, sizeof ignored);
        if (n == 0 || (n < 0 && errno != EINTR))
            return;
    }
}

/// Cleans up and ends the program; a clean-up that fails is an error.
__attribute__((noreturn)) static inline void w_finish(void) {
    int e = w_cleanup();
    if (e)
        w_die(W_FAILED, e, "clean-up");
    exit(0);
}

// ---- small things -------------------------------------------------------------------------------------------

static inline uint64_t w_now_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void w_sleep_ms(long long ms) {
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&t, &t) < 0 && errno == EINTR)
        ;
}

/// xorshift64*: the same order for the same seed on every machine.
static inline uint64_t w_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545F4914F6CDD1Du;
}

/// The numbers 0..<n in an order that `seed` decides (0: in order). The caller frees it.
static inline uint32_t *w_permutation(size_t n, uint64_t seed) {
    uint32_t *order = malloc((n ? n : 1) * sizeof *order);
    if (!order)
        w_die(W_FAILED, errno, "order of %zu pages", n);
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (size_t i = n; seed && i > 1; i--) {
        size_t j = w_random(&seed) % i;
        uint32_t t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
    return order;
}

/// Reads a whole small file (procfs, cgroupfs) into `text`, NUL-terminated. Returns its length or -1 with errno.
static inline ssize_t w_read_file(const char *path, char *text, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t have = 0;
    ssize_t n = 0;
    while (have < size - 1 && (n = read(fd, text + have, size - 1 - have)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        have += (size_t)n;
    }
    int e = errno;
    close(fd);
    text[have] = 0;
    errno = e;
    return n < 0 ? -1 : (ssize_t)have;
}

/// Writes `text` to a procfs or cgroupfs file in one write. Returns 0 or an errno.
static inline int w_write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    ssize_t n = write(fd, text, strlen(text));
    int e = n < 0 ? errno : 0;
    close(fd);
    return e;
}

/// Finds `key` at the start of a line ("key 12", "key:  12 kB", "key=12") and reads its number; false when absent.
static inline bool w_field(const char *text, const char *key, uint64_t *value) {
    size_t n = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, key, n) == 0 && strchr(" :=\t", line[n]) && line[n]) {
            *value = strtoull(line + n + strspn(line + n, " :=\t"), NULL, 10);
            return true;
        }
    return false;
}

#endif
