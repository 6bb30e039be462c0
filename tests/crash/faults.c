/* Loaded before libc (LD_PRELOAD): counts what a process does to files below one directory, and at
 * the n-th operation kills the process, or lets the operation fail or stay half done.
 *
 * All real work is done by raw system calls, so nothing here depends on what else is loaded. Which
 * file a descriptor stands for is asked of /proc/self/fd, so duplicated and inherited ones are seen.
 * Not seen: what is written through a memory mapping (SQLite's -shm, which no recovery relies on).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef __LP64__
#error "64-bit Linux only"
#endif

enum { WRITE = 1, SYNC = 2, RENAME = 4, UNLINK = 8, TRUNCATE = 16, MKDIR = 32, CREATE = 64,
       LINK = 128, MARK = 256 };
enum { COUNT, KILL, KILL_AFTER, FAIL, FAIL_ON, SHORT, SHORT_FULL, TORN };
enum { GO, GO_DIE, REFUSE, HALF, HALF_DIE };

static char root[PATH_MAX];
static size_t root_len;
static int kind, error_number, without_sync, log_fd = -1;
static long target, counted, hit_op;
static unsigned mask;
static pid_t owner;
static char outside[PATH_MAX];
static char hit_path[PATH_MAX];

struct record {
    uint32_t magic, op;
    uint64_t ino;
    int64_t offset;
    uint64_t size;
    uint32_t path_size, other_size;
};

static void put(const void *data, size_t n) {
    const char *at = data;
    while (n) {
        long done = syscall(SYS_write, log_fd, at, n);
        if (done <= 0) abort();
        at += done;
        n -= done;
    }
}

static void note(unsigned op, uint64_t ino, int64_t offset, const char *path, const char *other,
                 const void *data, size_t n) {
    if (log_fd < 0) return;
    int kept = errno;
    struct record r = {0x31544c46, op, ino, offset, n, strlen(path), strlen(other)};
    put(&r, sizeof r);
    put(path, r.path_size);
    put(other, r.other_size);
    put(data, n);
    errno = kept;
}

/* ---- what the tests call */

void faults_arm(const char *directory, int new_kind, long n, unsigned op_mask, int error,
                int skip_sync, const char *log_path) {
    snprintf(root, sizeof root, "%s", directory);
    root_len = strlen(root);
    kind = new_kind, target = n, mask = op_mask, error_number = error, without_sync = skip_sync;
    counted = hit_op = 0;
    outside[0] = hit_path[0] = 0;
    if (log_path && *log_path)
        log_fd = syscall(SYS_openat, AT_FDCWD, log_path,
                         O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    owner = getpid();
}

void faults_disarm(void) {
    owner = 0;
    if (log_fd >= 0) syscall(SYS_close, log_fd);
    log_fd = -1;
}

long faults_count(void) { return counted; }
long faults_hit_op(void) { return hit_op; }             /* the kind of the operation that was hit */
const char *faults_hit_path(void) { return hit_path; }
const char *faults_outside(void) { return outside; }    /* the first file touched elsewhere, or "" */
void faults_mark(const char *text) { note(MARK, 0, 0, text, "", "", 0); }

/* ---- whose file is it, and what is to happen */

static int is_armed(void) { return owner && getpid() == owner; }

static int is_below(const char *path) {
    return !strncmp(path, root, root_len) && (path[root_len] == '/' || !path[root_len]);
}

static int find_fd(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long n = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    path[n < 0 ? 0 : n] = 0;
    return n > 0;
}

static int is_our_fd(int fd, char *path) {
    if (!is_armed()) return 0;
    int kept = errno, is_ours = find_fd(fd, path) && is_below(path);
    errno = kept;
    return is_ours;
}

/* Make a path absolute, and say whether it is ours; remember one that is not. */
static int is_our_path(int dir, const char *given, char *path) {
    if (!is_armed() || !given) return 0;
    char base[PATH_MAX] = "";
    if (given[0] != '/') {
        if (dir == AT_FDCWD) syscall(SYS_getcwd, base, sizeof base);
        else find_fd(dir, base);
    }
    if (snprintf(path, PATH_MAX, "%s%s%s", base, base[0] ? "/" : "", given) >= PATH_MAX) return 0;
    if (is_below(path)) return 1;
    if (!outside[0] && strncmp(path, "/dev/", 5) && strncmp(path, "/proc/", 6) &&
        !strstr(path, "/etilqs_"))  /* temporary files that SQLite unlinks at once */
        strcpy(outside, path);
    return 0;
}

static void die(void) {
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

static int decide(unsigned op, const char *path) {
    if (!(op & mask)) return GO;
    long k = __atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST);
    if (kind == COUNT || k < target) return GO;
    if (k == target) {
        hit_op = op;
        strcpy(hit_path, path);
    }
    int is_first = k == target;
    if (kind == KILL && is_first) die();
    if (kind == KILL_AFTER && is_first) return GO_DIE;
    if ((kind == FAIL && is_first) || kind == FAIL_ON || (kind == SHORT_FULL && k == target + 1)) {
        errno = error_number;
        return REFUSE;
    }
    if ((kind == SHORT || kind == SHORT_FULL) && is_first) return HALF;
    if (kind == TORN && is_first) return HALF_DIE;
    return GO;
}

static uint64_t inode(int fd) {
    struct stat status;
    return fstat(fd, &status) ? 0 : status.st_ino;
}

static uint64_t inode_at(const char *path) {
    struct stat status;
    int kept = errno;
    uint64_t ino = lstat(path, &status) ? 0 : status.st_ino;
    errno = kept;
    return ino;
}

/* ---- data */

static ssize_t raw_write(int fd, const void *data, size_t n, int64_t offset) {
    return offset < 0 ? syscall(SYS_write, fd, data, n) : syscall(SYS_pwrite64, fd, data, n, offset);
}

static ssize_t put_data(int fd, const void *data, size_t n, int64_t offset) {
    char path[PATH_MAX];
    if (!is_our_fd(fd, path)) return raw_write(fd, data, n, offset);
    int what = decide(WRITE, path);
    if (what == REFUSE) return -1;
    if ((what == HALF || what == HALF_DIE) && n > 1) n /= 2;
    int64_t place = offset;
    if (place < 0)
        place = fcntl(fd, F_GETFL) & O_APPEND ? lseek(fd, 0, SEEK_END) : lseek(fd, 0, SEEK_CUR);
    ssize_t done = raw_write(fd, data, n, offset);
    if (done > 0) note(WRITE, inode(fd), place, path, "", data, done);
    if (what == GO_DIE || what == HALF_DIE) die();
    return done;
}

static ssize_t put_parts(int fd, const struct iovec *parts, int n_parts, int64_t offset) {
    size_t size = 0;
    for (int i = 0; i < n_parts; i++) size += parts[i].iov_len;
    char *data = malloc(size ? size : 1), *at = data;
    for (int i = 0; i < n_parts; at += parts[i++].iov_len)
        memcpy(at, parts[i].iov_base, parts[i].iov_len);
    ssize_t done = put_data(fd, data, size, offset);
    int kept = errno;
    free(data);
    errno = kept;
    return done;
}

ssize_t write(int fd, const void *data, size_t n) { return put_data(fd, data, n, -1); }
ssize_t pwrite(int fd, const void *data, size_t n, off_t at) { return put_data(fd, data, n, at); }
ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at) {
    return put_data(fd, data, n, at);
}
ssize_t writev(int fd, const struct iovec *parts, int n) { return put_parts(fd, parts, n, -1); }
ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t at) {
    return put_parts(fd, parts, n, at);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int n, off64_t at) {
    return put_parts(fd, parts, n, at);
}

/* Copies inside the kernel are refused, as some file systems do; callers fall back to write. */
ssize_t sendfile(int out, int in, off_t *at, size_t n) {
    char path[PATH_MAX];
    if (is_our_fd(out, path)) return errno = EINVAL, -1;
    return syscall(SYS_sendfile, out, in, at, n);
}
ssize_t sendfile64(int out, int in, off64_t *at, size_t n) { return sendfile(out, in, at, n); }
ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags) {
    char path[PATH_MAX];
    if (is_our_fd(out, path)) return errno = EXDEV, -1;
    return syscall(SYS_copy_file_range, in, in_at, out, out_at, n, flags);
}

static int flush(int fd, long number) {
    char path[PATH_MAX];
    if (!is_our_fd(fd, path)) return syscall(number, fd);
    int what = decide(SYNC, path);
    if (what == REFUSE) return -1;
    int done = without_sync ? 0 : syscall(number, fd);
    if (!done) note(SYNC, inode(fd), 0, path, "", "", 0);
    if (what == GO_DIE) die();
    return done;
}

int fsync(int fd) { return flush(fd, SYS_fsync); }
int fdatasync(int fd) { return flush(fd, SYS_fdatasync); }

int ftruncate(int fd, off_t size) {
    char path[PATH_MAX];
    if (!is_our_fd(fd, path)) return syscall(SYS_ftruncate, fd, size);
    int what = decide(TRUNCATE, path);
    if (what == REFUSE) return -1;
    int done = syscall(SYS_ftruncate, fd, size);
    if (!done) note(TRUNCATE, inode(fd), size, path, "", "", 0);
    if (what == GO_DIE) die();
    return done;
}
int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

/* ---- names */

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    char source[PATH_MAX], place[PATH_MAX];
    int is_from = is_our_path(from_dir, from, source), is_to = is_our_path(to_dir, to, place);
    if (!is_from && !is_to) return syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    int what = decide(RENAME, place);
    if (what == REFUSE) return -1;
    int done = syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    if (!done) note(RENAME, inode_at(place), 0, source, place, "", 0);
    if (what == GO_DIE) die();
    return done;
}
int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    return renameat2(from_dir, from, to_dir, to, 0);
}
int rename(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int dir, const char *name, int flags) {
    char path[PATH_MAX];
    if (!is_our_path(dir, name, path)) return syscall(SYS_unlinkat, dir, name, flags);
    int what = decide(UNLINK, path);
    if (what == REFUSE) return -1;
    int done = syscall(SYS_unlinkat, dir, name, flags);
    if (!done) note(UNLINK, 0, 0, path, "", "", 0);
    if (what == GO_DIE) die();
    return done;
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    char path[PATH_MAX];
    if (!is_our_path(to_dir, to, path)) return syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
    int what = decide(LINK, path);
    if (what == REFUSE) return -1;
    int done = syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
    if (!done) note(LINK, inode_at(path), 0, path, "", "", 0);
    if (what == GO_DIE) die();
    return done;
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int mkdirat(int dir, const char *name, mode_t mode) {
    char path[PATH_MAX];
    if (!is_our_path(dir, name, path) || inode_at(path)) return syscall(SYS_mkdirat, dir, name, mode);
    int what = decide(MKDIR, path);
    if (what == REFUSE) return -1;
    int done = syscall(SYS_mkdirat, dir, name, mode);
    if (!done) note(MKDIR, inode_at(path), 0, path, "", "", 0);
    if (what == GO_DIE) die();
    return done;
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

static int open_file(int dir, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    int is_writing = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
    if (!is_writing || !is_our_path(dir, name, path))
        return syscall(SYS_openat, dir, name, flags, mode);
    int is_new = flags & O_CREAT && !inode_at(path);
    int what = is_new ? decide(CREATE, path) : flags & O_TRUNC ? decide(TRUNCATE, path) : GO;
    if (what == REFUSE) return -1;
    int fd = syscall(SYS_openat, dir, name, flags, mode);
    if (fd >= 0 && is_new) note(CREATE, inode(fd), 0, path, "", "", 0);
    else if (fd >= 0 && flags & O_TRUNC) note(TRUNCATE, inode(fd), 0, path, "", "", 0);
    if (what == GO_DIE) die();
    return fd;
}

#define MODE(mode, last)                                                 \
    mode_t mode = 0;                                                     \
    if (last & (O_CREAT | O_TMPFILE)) {                                  \
        va_list rest;                                                    \
        va_start(rest, last);                                            \
        mode = va_arg(rest, mode_t);                                     \
        va_end(rest);                                                    \
    }

int open(const char *path, int flags, ...) {
    MODE(mode, flags)
    return open_file(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    MODE(mode, flags)
    return open_file(AT_FDCWD, path, flags, mode);
}
int openat(int dir, const char *path, int flags, ...) {
    MODE(mode, flags)
    return open_file(dir, path, flags, mode);
}
int openat64(int dir, const char *path, int flags, ...) {
    MODE(mode, flags)
    return open_file(dir, path, flags, mode);
}
