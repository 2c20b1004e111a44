// A disk that fails when it is told to: writes to files below $FAILING_DISK fail with the number in $FAILING_DISK_ERRNO.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int told(void) {
    const char *control = getenv("FAILING_DISK_ERRNO");
    int file = control ? (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY) : -1;
    char text[16] = {0};
    if (file < 0) return 0;
    ssize_t got = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    return got > 0 ? atoi(text) : 0;
}

static int below(const char *path) {
    const char *disk = getenv("FAILING_DISK");
    return disk && strncmp(path, disk, strlen(disk)) == 0;
}

static int failing(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path) ? told() : 0;
}

#define FAIL(fd) do { int number = failing(fd); if (number) { errno = number; return -1; } } while (0)
#define NEXT(name) static __typeof__(name) *next; if (!next) next = dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *b, size_t n) { FAIL(fd); NEXT(write); return next(fd, b, n); }
ssize_t pwrite(int fd, const void *b, size_t n, off_t at) { FAIL(fd); NEXT(pwrite); return next(fd, b, n, at); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t at) { FAIL(fd); NEXT(pwrite64); return next(fd, b, n, at); }
int fsync(int fd) { FAIL(fd); NEXT(fsync); return next(fd); }
int fdatasync(int fd) { FAIL(fd); NEXT(fdatasync); return next(fd); }
int ftruncate(int fd, off_t n) { FAIL(fd); NEXT(ftruncate); return next(fd, n); }
int ftruncate64(int fd, off64_t n) { FAIL(fd); NEXT(ftruncate64); return next(fd, n); }

static int refused(const char *path, int flags) {
    int writing = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
    return writing && below(path) && told() == EROFS;
}

#define OPEN(name)                                                      \
    int name(const char *path, int flags, ...) {                        \
        va_list more; va_start(more, flags);                            \
        mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;     \
        va_end(more);                                                   \
        if (refused(path, flags)) { errno = EROFS; return -1; }         \
        NEXT(name); return next(path, flags, mode);                     \
    }
OPEN(open)
OPEN(open64)
