// A disk that fails when it is told to. $FAILING_DISK is a pattern of paths, $FAILING_DISK_CONTROL a file with one of
//   full     what makes a file longer fails with ENOSPC; what is written in place does not, as on a file system
//   slow MS  each sync, and each write that waits for the disk, takes so much longer
//   ERRNO    each write, sync and change of length fails with this number; with EROFS, opening for writing, too
// No file: the disk is well. A file of that name and ".met" says that something has met it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct order { int fails, full, slow; };

static struct order told(void) {
    struct order order = {0, 0, 0};
    const char *control = getenv("FAILING_DISK_CONTROL");
    int file = control ? (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY) : -1;
    char text[32] = {0};
    if (file < 0) return order;
    ssize_t got = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    if (got <= 0) return order;
    if (strncmp(text, "full", 4) == 0) order.full = 1;
    else if (sscanf(text, "slow %d", &order.slow) != 1) order.fails = atoi(text);
    return order;
}

static int on_the_disk(const char *path) {
    const char *disk = getenv("FAILING_DISK");
    return disk && fnmatch(disk, path, 0) == 0;
}

// What is to be done to an open file; nothing where it is on another disk.
static struct order told_of(int fd) {
    struct order none = {0, 0, 0};
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return none;
    path[length] = 0;
    return on_the_disk(path) ? told() : none;
}

// Leaves word that the disk was met.
static void met(void) {
    char path[4096];
    snprintf(path, sizeof path, "%s.met", getenv("FAILING_DISK_CONTROL"));
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT, 0666);
    if (file >= 0) syscall(SYS_close, file);
}

static void take(int milliseconds) {
    met();
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

static off64_t length_of(int fd) {
    struct stat64 found;
    return fstat64(fd, &found) == 0 ? found.st_size : 0;
}

// The number with which a write of what ends at `end` fails, 0 for none.
static int writing(int fd, off64_t end) {
    struct order order = told_of(fd);
    if (order.full && end > length_of(fd)) return ENOSPC;
    if (order.slow && (fcntl(fd, F_GETFL) & (O_DIRECT | O_SYNC | O_DSYNC))) take(order.slow);
    return order.fails;
}

static int syncing(int fd) {
    struct order order = told_of(fd);
    if (order.slow) take(order.slow);
    return order.fails;
}

static off64_t position(int fd) {
    return fcntl(fd, F_GETFL) & O_APPEND ? length_of(fd) : lseek64(fd, 0, SEEK_CUR);
}

#define FAIL(when) do { int number = (when); if (number) { met(); errno = number; return -1; } } while (0)
#define NEXT(name) static __typeof__(name) *next; if (!next) next = dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *b, size_t n) {
    FAIL(writing(fd, position(fd) + (off64_t)n)); NEXT(write); return next(fd, b, n);
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t at) {
    FAIL(writing(fd, at + (off64_t)n)); NEXT(pwrite); return next(fd, b, n, at);
}
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t at) {
    FAIL(writing(fd, at + (off64_t)n)); NEXT(pwrite64); return next(fd, b, n, at);
}
int fsync(int fd) { FAIL(syncing(fd)); NEXT(fsync); return next(fd); }
int fdatasync(int fd) { FAIL(syncing(fd)); NEXT(fdatasync); return next(fd); }
int ftruncate(int fd, off_t n) { FAIL(told_of(fd).fails); NEXT(ftruncate); return next(fd, n); }
int ftruncate64(int fd, off64_t n) { FAIL(told_of(fd).fails); NEXT(ftruncate64); return next(fd, n); }
int fallocate(int fd, int mode, off_t at, off_t n) {
    FAIL(writing(fd, at + n)); NEXT(fallocate); return next(fd, mode, at, n);
}
int fallocate64(int fd, int mode, off64_t at, off64_t n) {
    FAIL(writing(fd, at + n)); NEXT(fallocate64); return next(fd, mode, at, n);
}
// These two return the number.
int posix_fallocate(int fd, off_t at, off_t n) {
    int number = writing(fd, at + n);
    if (number) { met(); return number; }
    NEXT(posix_fallocate); return next(fd, at, n);
}
int posix_fallocate64(int fd, off64_t at, off64_t n) {
    int number = writing(fd, at + n);
    if (number) { met(); return number; }
    NEXT(posix_fallocate64); return next(fd, at, n);
}

static int refused(const char *path, int flags) {
    int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
    return writes && on_the_disk(path) && told().fails == EROFS;
}

#define OPEN(name)                                                      \
    int name(const char *path, int flags, ...) {                        \
        va_list more; va_start(more, flags);                            \
        mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;     \
        va_end(more);                                                   \
        if (refused(path, flags)) { met(); errno = EROFS; return -1; }         \
        NEXT(name); return next(path, flags, mode);                     \
    }
OPEN(open)
OPEN(open64)
