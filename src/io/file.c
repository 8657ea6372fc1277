/* SPDX-License-Identifier: Apache-2.0 */
#include "io/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- Planned failures ---- */

typedef enum call_kind { CALL_OTHER, CALL_DATA, CALL_RETRIED } call_kind;
typedef enum call_plan { PLAN_NONE, PLAN_HALF, PLAN_FAIL, PLAN_HALF_THEN_FAIL } call_plan;

#ifdef SW_FAULTS
static _Thread_local size_t fail_countdown;
static _Thread_local sw_file_fault fail_how;
static _Thread_local bool fail_happened;

void sw_file_fail_at(size_t nth, sw_file_fault fault) {
    fail_countdown = nth;
    fail_how = fault;
    fail_happened = false;
}

bool sw_file_failed(void) {
    return fail_happened;
}

/* What shall become of this call; sets errno where it is to fail. */
static call_plan plan(call_kind kind) {
    if (fail_countdown == 0 || --fail_countdown > 0)
        return PLAN_NONE;
    fail_happened = true;
    if (fail_how == SW_FILE_FAULT_SHORT) {
        errno = EINTR;
        return kind == CALL_DATA ? PLAN_HALF : kind == CALL_RETRIED ? PLAN_FAIL : PLAN_NONE;
    }
    errno = fail_how == SW_FILE_FAULT_FULL ? ENOSPC : EIO;
    return fail_how == SW_FILE_FAULT_FULL && kind == CALL_DATA ? PLAN_HALF_THEN_FAIL : PLAN_FAIL;
}
#else
static call_plan plan(call_kind kind) {
    (void)kind;
    return PLAN_NONE;
}
#endif

static bool fault(call_kind kind) {
    return plan(kind) != PLAN_NONE;
}

/* ---- Errors ---- */

static sw_status fail_errno(sw_error *error, const char *verb, const char *path) {
    int why = errno;
    if (why == ENOSPC || why == EDQUOT)
        return sw_fail(error, SW_CODE_IO,
                       "cannot %s %s: the disk is full. Free some space and try again", verb, path);
    sw_code code = why == ENOENT   ? SW_CODE_NOT_FOUND
                   : why == EEXIST ? SW_CODE_CONFLICT
                   : why == ENOMEM ? SW_CODE_NO_MEMORY
                                   : SW_CODE_IO;
    char text[128];
    return sw_fail(error, code, "cannot %s %s: %s", verb, path, strerror_r(why, text, sizeof text));
}

sw_status sw_file_path(char path[SW_PATH_BYTES], const char *folder, const char *name,
                       sw_error *error) {
    int used = snprintf(path, SW_PATH_BYTES, "%s/%s", folder, name);
    if (used < 0 || used >= SW_PATH_BYTES)
        return sw_fail(error, SW_CODE_INVALID, "the path %.64s…/%.64s is longer than %d bytes",
                       folder, name, SW_PATH_BYTES - 1);
    return SW_OK;
}

/* ---- One descriptor ---- */

static sw_status open_with(int *fd, const char *path, int flags, const char *verb,
                           sw_error *error) {
    do {
        *fd = fault(CALL_RETRIED) ? -1 : open(path, flags | O_CLOEXEC, 0600);
    } while (*fd < 0 && errno == EINTR);
    return *fd < 0 ? fail_errno(error, verb, path) : SW_OK;
}

sw_status sw_file_open_read(int *fd, const char *path, sw_error *error) {
    return open_with(fd, path, O_RDONLY, "open", error);
}

sw_status sw_file_temporary(int *fd, sw_error *error) {
    const char *folder = getenv("TMPDIR");
    char path[SW_PATH_BYTES];
    SW_TRY(sw_file_path(path, folder && *folder ? folder : "/tmp", "slipway-XXXXXX", error));
    *fd = fault(CALL_OTHER) ? -1 : mkostemp(path, O_CLOEXEC);
    if (*fd < 0)
        return fail_errno(error, "create", path);
    if (unlink(path) == 0)
        return SW_OK;
    sw_status status = fail_errno(error, "remove", path);
    sw_file_close(fd);
    return status;
}

sw_status sw_file_create(int *fd, const char *path, sw_error *error) {
    return open_with(fd, path, O_WRONLY | O_CREAT | O_EXCL, "create", error);
}

sw_status sw_file_open_append(int *fd, const char *path, sw_error *error) {
    return open_with(fd, path, O_WRONLY | O_CREAT | O_APPEND, "open", error);
}

sw_status sw_file_open_update(int *fd, const char *path, sw_error *error) {
    return open_with(fd, path, O_RDWR | O_CREAT, "open", error);
}

void sw_file_close(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static ssize_t write_some(int fd, const char *at, size_t len) {
    call_plan what = plan(CALL_DATA);
    int planned = errno;
    if (what == PLAN_FAIL)
        return -1;
    ssize_t done = write(fd, at, what == PLAN_NONE ? len : (len + 1) / 2);
    if (what != PLAN_HALF_THEN_FAIL)
        return done;
    errno = planned;
    return -1;
}

sw_status sw_file_write(int fd, sw_str bytes, const char *path, sw_error *error) {
    while (bytes.len) {
        ssize_t done = write_some(fd, bytes.at, bytes.len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail_errno(error, "write", path);
        bytes.at += done;
        bytes.len -= (size_t)done;
    }
    return SW_OK;
}

sw_status sw_file_write_at(int fd, sw_str bytes, uint64_t offset, const char *path,
                           sw_error *error) {
    if (lseek(fd, (off_t)offset, SEEK_SET) < 0)
        return fail_errno(error, "write", path);
    return sw_file_write(fd, bytes, path, error);
}

static ssize_t read_some(int fd, char *at, size_t len) {
    call_plan what = plan(CALL_DATA);
    if (what == PLAN_FAIL || what == PLAN_HALF_THEN_FAIL)
        return -1;
    return read(fd, at, what == PLAN_NONE ? len : (len + 1) / 2);
}

sw_status sw_file_read(size_t *got, int fd, void *bytes, size_t cap, const char *path,
                       sw_error *error) {
    *got = 0;
    while (*got < cap) {
        ssize_t done = read_some(fd, (char *)bytes + *got, cap - *got);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail_errno(error, "read", path);
        if (done == 0)
            break;
        *got += (size_t)done;
    }
    return SW_OK;
}

sw_status sw_file_sync(int fd, const char *path, sw_error *error) {
    int done;
    do {
        done = fault(CALL_RETRIED) ? -1 : fsync(fd);
    } while (done != 0 && errno == EINTR);
    return done != 0 ? fail_errno(error, "sync", path) : SW_OK;
}

/* ---- Names ---- */

sw_status sw_file_sync_folder(const char *path, sw_error *error) {
    int fd;
    SW_TRY(open_with(&fd, path, O_RDONLY | O_DIRECTORY, "open", error));
    sw_status status = sw_file_sync(fd, path, error);
    sw_file_close(&fd);
    return status;
}

sw_status sw_file_rename(const char *from, const char *to, sw_error *error) {
    if (fault(CALL_OTHER) || rename(from, to) != 0)
        return fail_errno(error, "rename to", to);
    return SW_OK;
}

sw_status sw_file_remove(const char *path, sw_error *error) {
    if (fault(CALL_OTHER) || unlink(path) != 0)
        return fail_errno(error, "remove", path);
    return SW_OK;
}

/* The folder that `path` stands in: "a/b" → "a", "a" → ".", "/a" → "/". */
static sw_status parent_of(char out[SW_PATH_BYTES], const char *path, sw_error *error) {
    size_t len = strlen(path);
    if (len >= SW_PATH_BYTES)
        return sw_fail(error, SW_CODE_INVALID, "the path %.64s… is longer than %d bytes", path,
                       SW_PATH_BYTES - 1);
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    while (len > 1 && path[len - 1] == '/')
        len--;
    memcpy(out, path, len);
    if (len == 0)
        out[len++] = '.';
    out[len] = '\0';
    return SW_OK;
}

/* Refuses what is in the way, and follows a link to a folder. */
static sw_status make_one(bool *made, const char *path, sw_error *error) {
    *made = false;
    if (!fault(CALL_OTHER) && mkdir(path, 0700) == 0) {
        *made = true;
        return SW_OK;
    }
    struct stat facts;
    if (errno != EEXIST)
        return fail_errno(error, "make the folder", path);
    if (stat(path, &facts) != 0)
        return fail_errno(error, "look at", path);
    if (!S_ISDIR(facts.st_mode))
        return sw_fail(error, SW_CODE_CONFLICT, "%s is no folder: something else has that name",
                       path);
    return SW_OK;
}

sw_status sw_file_make_folders(bool *made, const char *path, sw_error *error) {
    bool ignored;
    made = made ? made : &ignored;
    *made = false;
    struct stat facts;
    if (stat(path, &facts) == 0 && S_ISDIR(facts.st_mode))
        return SW_OK;
    char parent[SW_PATH_BYTES];
    SW_TRY(parent_of(parent, path, error));
    if (strcmp(parent, path) != 0)
        SW_TRY(sw_file_make_folders(NULL, parent, error));
    SW_TRY(make_one(made, path, error));
    return *made ? sw_file_sync_folder(parent, error) : SW_OK;
}

sw_status sw_file_stat(sw_file_facts *out, const char *path, sw_error *error) {
    struct stat facts;
    if (fault(CALL_OTHER) || stat(path, &facts) != 0)
        return fail_errno(error, "look at", path);
    *out = (sw_file_facts){
        .size_bytes = (uint64_t)facts.st_size,
        .modified_ms = (int64_t)facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1000000,
        .is_folder = S_ISDIR(facts.st_mode),
        .is_regular = S_ISREG(facts.st_mode),
    };
    return SW_OK;
}

sw_status sw_file_disk(uint64_t *free_bytes, uint64_t *total_bytes, const char *path,
                       sw_error *error) {
    struct statvfs disk;
    if (statvfs(path, &disk) != 0)
        return sw_fail(error, SW_CODE_IO, "%s: %s", path, strerror(errno));
    *free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    *total_bytes = (uint64_t)disk.f_blocks * disk.f_frsize;
    return SW_OK;
}

sw_status sw_file_touch(const char *path, sw_error *error) {
    if (fault(CALL_OTHER) || utimensat(AT_FDCWD, path, NULL, 0) != 0)
        return fail_errno(error, "set the time of", path);
    return SW_OK;
}

static sw_status visit_all(DIR *open_folder, const char *folder,
                           sw_status (*visit)(const char *name, void *context, sw_error *error),
                           void *context, sw_error *error) {
    for (;;) {
        errno = 0;
        const struct dirent *entry = fault(CALL_OTHER) ? NULL : readdir(open_folder);
        if (!entry)
            return errno ? fail_errno(error, "list", folder) : SW_OK;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            SW_TRY(visit(entry->d_name, context, error));
    }
}

sw_status sw_file_each(const char *folder,
                       sw_status (*visit)(const char *name, void *context, sw_error *error),
                       void *context, sw_error *error) {
    DIR *open_folder = fault(CALL_OTHER) ? NULL : opendir(folder);
    if (!open_folder)
        return errno == ENOENT ? SW_OK : fail_errno(error, "list", folder);
    sw_status status = visit_all(open_folder, folder, visit, context, error);
    closedir(open_folder);
    return status;
}

/* ---- Whole files ---- */

static sw_status read_on(sw_buf *out, int fd, const char *path, size_t max_bytes, sw_error *error) {
    size_t total = 0;
    for (;;) {
        enum { STEP = 65536 };
        size_t got;
        if (!sw_buf_reserve(out, STEP))
            return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while reading %s", path);
        SW_TRY(sw_file_read(&got, fd, out->at + out->len, STEP, path, error));
        total += got;
        if (total > max_bytes)
            return sw_fail(error, SW_CODE_TOO_LARGE, "%s is larger than %zu bytes", path,
                           max_bytes);
        out->len += got;
        if (got < STEP)
            return SW_OK;
    }
}

sw_status sw_file_read_whole(sw_buf *out, const char *path, size_t max_bytes, sw_error *error) {
    int fd;
    SW_TRY(sw_file_open_read(&fd, path, error));
    sw_status status = read_on(out, fd, path, max_bytes, error);
    sw_file_close(&fd);
    return status;
}

static sw_status write_beside(const char *beside, sw_str bytes, sw_error *error) {
    int fd;
    SW_TRY(open_with(&fd, beside, O_WRONLY | O_CREAT | O_TRUNC, "create", error));
    sw_status status = sw_file_write(fd, bytes, beside, error);
    if (!sw_failed(status))
        status = sw_file_sync(fd, beside, error);
    sw_file_close(&fd);
    return status;
}

sw_status sw_file_write_whole(const char *path, sw_str bytes, sw_error *error) {
    char beside[SW_PATH_BYTES], parent[SW_PATH_BYTES];
    SW_TRY(parent_of(parent, path, error));
    if (snprintf(beside, sizeof beside, "%s.new", path) >= SW_PATH_BYTES)
        return sw_fail(error, SW_CODE_INVALID, "the path %.64s… is too long", path);
    sw_status status = write_beside(beside, bytes, error);
    if (!sw_failed(status))
        status = sw_file_rename(beside, path, error);
    if (sw_failed(status)) {
        (void)unlink(beside);
        return status;
    }
    return sw_file_sync_folder(parent, error);
}

/* ---- The lock, chance ---- */

static int64_t read_holder(int fd) {
    char text[32];
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    return strtoll(text, NULL, 10);
}

static sw_status write_holder(int fd, const char *path, sw_error *error) {
    char text[32];
    int used = snprintf(text, sizeof text, "%lld\n", (long long)getpid());
    if (fault(CALL_OTHER) || ftruncate(fd, 0) != 0)
        return fail_errno(error, "write", path);
    return sw_file_write(fd, (sw_str){text, (size_t)used}, path, error);
}

sw_status sw_file_lock(int *fd, int64_t *holder, const char *path, sw_error *error) {
    int64_t ignored;
    holder = holder ? holder : &ignored;
    *holder = 0;
    SW_TRY(open_with(fd, path, O_RDWR | O_CREAT, "open", error));
    sw_status status;
    if (fault(CALL_OTHER)) {
        status = fail_errno(error, "lock", path);
    } else if (flock(*fd, LOCK_EX | LOCK_NB) == 0) {
        status = write_holder(*fd, path, error);
    } else if (errno == EWOULDBLOCK) {
        *holder = read_holder(*fd);
        status = sw_fail(error, SW_CODE_CONFLICT, "%s is locked by process %lld", path,
                         (long long)*holder);
    } else {
        status = fail_errno(error, "lock", path);
    }
    if (sw_failed(status))
        sw_file_close(fd);
    return status;
}

static sw_status map_open(sw_str *out, int fd, const char *path, sw_error *error) {
    struct stat about;
    if (fault(CALL_OTHER) || fstat(fd, &about) < 0)
        return fail_errno(error, "look at", path);
    if (!S_ISREG(about.st_mode) || about.st_size == 0)
        return sw_fail(error, SW_CODE_INVALID, "%s is %s", path,
                       S_ISREG(about.st_mode) ? "an empty file" : "no regular file");
    void *map = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return fail_errno(error, "map", path);
    *out = (sw_str){map, (size_t)about.st_size};
    return SW_OK;
}

sw_status sw_file_map(sw_str *out, const char *path, sw_error *error) {
    int fd;
    *out = (sw_str){0};
    SW_TRY(sw_file_open_read(&fd, path, error));
    sw_status status = map_open(out, fd, path, error);
    sw_file_close(&fd);
    return status;
}

void sw_file_unmap(sw_str map) {
    if (map.at)
        munmap((void *)(uintptr_t)map.at, map.len);
}

sw_status sw_file_random(void *bytes, size_t len, sw_error *error) {
    for (size_t have = 0; have < len;) {
        ssize_t got = fault(CALL_OTHER) ? -1 : getrandom((char *)bytes + have, len - have, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(error, "read", "the kernel's random numbers");
        have += (size_t)got;
    }
    return SW_OK;
}
