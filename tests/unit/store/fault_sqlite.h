/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault_sqlite: makes the Nth disk operation or the Nth allocation of SQLite fail.
 *
 * A file system shim over SQLite's own, and an allocator over its own; include it in one file and
 * every database of that test goes through them. Reading is left alone: what is to be proven is
 * that a failed write loses nothing.
 *
 * Threads: the counters are atomic and of the process, since the writer thread does the writing.
 */
#ifndef SW_TESTS_FAULT_SQLITE_H
#define SW_TESTS_FAULT_SQLITE_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fault_plan {
    atomic_long countdown; /* 0 = off */
    atomic_bool lasting;   /* all operations after the Nth fail too, as on a full disk */
    atomic_bool happened;
    atomic_int code; /* SQLITE_FULL or SQLITE_IOERR */
} fault_plan;

static fault_plan fault_disk, fault_memory;
static atomic_long fault_syncs; /* of any file, good ones */

static inline void fault_arm(fault_plan *plan, long nth, int code, bool lasting) {
    atomic_store(&plan->happened, false);
    atomic_store(&plan->code, code);
    atomic_store(&plan->lasting, lasting);
    atomic_store(&plan->countdown, nth);
}

/* Whether the failure came. */
static inline bool fault_disarm(fault_plan *plan) {
    atomic_store(&plan->countdown, 0);
    return atomic_load(&plan->happened);
}

static inline bool fault_now(fault_plan *plan) {
    if (atomic_load(&plan->countdown) == 0)
        return false;
    long left = atomic_fetch_sub(&plan->countdown, 1) - 1;
    if (left > 0)
        return false;
    atomic_store(&plan->happened, true);
    atomic_store(&plan->countdown, atomic_load(&plan->lasting) ? 1 : 0);
    return true;
}

/* ---- Disk ---- */

typedef struct fault_file {
    sqlite3_file base;
    sqlite3_file *real; /* right behind this struct */
} fault_file;

static sqlite3_vfs fault_vfs;
static sqlite3_vfs *fault_real_vfs;

static inline sqlite3_file *fault_real(sqlite3_file *file) {
    return ((fault_file *)file)->real;
}

static int fault_close(sqlite3_file *file) {
    sqlite3_file *real = fault_real(file);
    return real->pMethods ? real->pMethods->xClose(real) : SQLITE_OK;
}

static int fault_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at) {
    return fault_real(file)->pMethods->xRead(fault_real(file), bytes, len, at);
}

/* Half of a write that fails is on the disk. */
static int fault_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at) {
    sqlite3_file *real = fault_real(file);
    if (!fault_now(&fault_disk))
        return real->pMethods->xWrite(real, bytes, len, at);
    (void)real->pMethods->xWrite(real, bytes, len / 2, at);
    int code = atomic_load(&fault_disk.code);
    return code == SQLITE_FULL ? code : SQLITE_IOERR_WRITE;
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size) {
    if (fault_now(&fault_disk))
        return SQLITE_IOERR_TRUNCATE;
    return fault_real(file)->pMethods->xTruncate(fault_real(file), size);
}

static int fault_sync(sqlite3_file *file, int flags) {
    if (fault_now(&fault_disk))
        return SQLITE_IOERR_FSYNC;
    atomic_fetch_add(&fault_syncs, 1);
    return fault_real(file)->pMethods->xSync(fault_real(file), flags);
}

static int fault_size(sqlite3_file *file, sqlite3_int64 *size) {
    return fault_real(file)->pMethods->xFileSize(fault_real(file), size);
}

static int fault_lock(sqlite3_file *file, int lock) {
    return fault_real(file)->pMethods->xLock(fault_real(file), lock);
}

static int fault_unlock(sqlite3_file *file, int lock) {
    return fault_real(file)->pMethods->xUnlock(fault_real(file), lock);
}

static int fault_check_lock(sqlite3_file *file, int *held) {
    return fault_real(file)->pMethods->xCheckReservedLock(fault_real(file), held);
}

static int fault_control(sqlite3_file *file, int op, void *arg) {
    return fault_real(file)->pMethods->xFileControl(fault_real(file), op, arg);
}

static int fault_sector(sqlite3_file *file) {
    return fault_real(file)->pMethods->xSectorSize(fault_real(file));
}

static int fault_device(sqlite3_file *file) {
    return fault_real(file)->pMethods->xDeviceCharacteristics(fault_real(file));
}

static int fault_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out) {
    if (extend && fault_now(&fault_disk))
        return SQLITE_IOERR_SHMMAP;
    return fault_real(file)->pMethods->xShmMap(fault_real(file), page, size, extend, out);
}

static int fault_shm_lock(sqlite3_file *file, int at, int count, int flags) {
    return fault_real(file)->pMethods->xShmLock(fault_real(file), at, count, flags);
}

static void fault_shm_barrier(sqlite3_file *file) {
    fault_real(file)->pMethods->xShmBarrier(fault_real(file));
}

static int fault_shm_unmap(sqlite3_file *file, int delete_it) {
    return fault_real(file)->pMethods->xShmUnmap(fault_real(file), delete_it);
}

static const sqlite3_io_methods fault_methods = {
    .iVersion = 2,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_check_lock,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector,
    .xDeviceCharacteristics = fault_device,
    .xShmMap = fault_shm_map,
    .xShmLock = fault_shm_lock,
    .xShmBarrier = fault_shm_barrier,
    .xShmUnmap = fault_shm_unmap,
};

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
    (void)vfs;
    fault_file *f = (fault_file *)file;
    f->base.pMethods = NULL;
    f->real = (sqlite3_file *)(f + 1);
    memset(f->real, 0, (size_t)fault_real_vfs->szOsFile);
    if ((flags & SQLITE_OPEN_CREATE) && fault_now(&fault_disk))
        return SQLITE_CANTOPEN;
    int code = fault_real_vfs->xOpen(fault_real_vfs, name, f->real, flags, out);
    if (code == SQLITE_OK)
        f->base.pMethods = &fault_methods;
    return code;
}

static int fault_delete(sqlite3_vfs *vfs, const char *name, int sync_folder) {
    (void)vfs;
    if (fault_now(&fault_disk))
        return SQLITE_IOERR_DELETE;
    return fault_real_vfs->xDelete(fault_real_vfs, name, sync_folder);
}

/* ---- Memory ---- */

static sqlite3_mem_methods fault_real_memory;

static void *fault_malloc(int size) {
    return fault_now(&fault_memory) ? NULL : fault_real_memory.xMalloc(size);
}

static void *fault_realloc(void *block, int size) {
    return fault_now(&fault_memory) ? NULL : fault_real_memory.xRealloc(block, size);
}

/* Before main: the allocator cannot be changed once SQLite runs. */
__attribute__((constructor)) static void fault_install(void) {
    int code = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &fault_real_memory);
    sqlite3_mem_methods memory = fault_real_memory;
    memory.xMalloc = fault_malloc;
    memory.xRealloc = fault_realloc;
    if (code == SQLITE_OK)
        code = sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
    fault_real_vfs = sqlite3_vfs_find(NULL);
    fault_vfs = *fault_real_vfs;
    fault_vfs.zName = "fault";
    fault_vfs.szOsFile = (int)sizeof(fault_file) + fault_real_vfs->szOsFile;
    fault_vfs.xOpen = fault_open;
    fault_vfs.xDelete = fault_delete;
    if (code == SQLITE_OK)
        code = sqlite3_vfs_register(&fault_vfs, 1);
    if (code != SQLITE_OK) {
        fprintf(stderr, "cannot install the failures: %s\n", sqlite3_errstr(code));
        exit(1);
    }
}

#endif /* SW_TESTS_FAULT_SQLITE_H */
