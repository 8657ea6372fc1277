/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: the file system, with errors that name the path and the reason.
 *
 * Every file call of Slipway goes through here, so that a test can make the Nth one fail and so
 * that durability is done the same way everywhere: write, fsync, rename, fsync of the folder.
 * Descriptors are close-on-exec; new files are 0600, new folders 0700.
 *
 * A missing file is NOT_FOUND, a full disk and everything else of the disk's is IO.
 *
 * Threads: any but a loop's.
 * Layer:   io.
 */
#ifndef SW_IO_FILE_H
#define SW_IO_FILE_H

#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SW_PATH_BYTES = 4096 };

/* "folder/name" into `path`; INVALID where it does not fit. */
SW_MUST_USE sw_status sw_file_path(char path[SW_PATH_BYTES], const char *folder, const char *name,
                                   sw_error *error);

SW_MUST_USE sw_status sw_file_open_read(int *fd, const char *path, sw_error *error);
/* For writing; CONFLICT where the file is there already. */
SW_MUST_USE sw_status sw_file_create(int *fd, const char *path, sw_error *error);
/* For writing behind what is there; made if missing. */
SW_MUST_USE sw_status sw_file_open_append(int *fd, const char *path, sw_error *error);
/* For writing anywhere; made if missing. */
SW_MUST_USE sw_status sw_file_open_update(int *fd, const char *path, sw_error *error);
/* For writing and reading, in $TMPDIR or /tmp; it has no name and goes with its descriptor. */
SW_MUST_USE sw_status sw_file_temporary(int *fd, sw_error *error);
/* Closes and sets -1; nothing happens on -1. What must last has been synced before. */
void sw_file_close(int *fd);

/* `path` is for the error text only. */
SW_MUST_USE sw_status sw_file_write(int fd, sw_str bytes, const char *path, sw_error *error);
/* At `offset`, whatever was written before; what lies between is zeros. */
SW_MUST_USE sw_status sw_file_write_at(int fd, sw_str bytes, uint64_t offset, const char *path,
                                       sw_error *error);
/* Up to `cap` bytes; `*got` is less only at the end of the file. */
SW_MUST_USE sw_status sw_file_read(size_t *got, int fd, void *bytes, size_t cap, const char *path,
                                   sw_error *error);
SW_MUST_USE sw_status sw_file_sync(int fd, const char *path, sw_error *error);
/* Makes the names in a folder durable. */
SW_MUST_USE sw_status sw_file_sync_folder(const char *path, sw_error *error);
/* Replaces `to`. Not durable before both folders are synced. */
SW_MUST_USE sw_status sw_file_rename(const char *from, const char *to, sw_error *error);
SW_MUST_USE sw_status sw_file_remove(const char *path, sw_error *error);
/* Makes the folder and those above it, durably. `*made` (may be NULL): whether it was new. */
SW_MUST_USE sw_status sw_file_make_folders(bool *made, const char *path, sw_error *error);

typedef struct sw_file_facts {
    uint64_t size_bytes;
    int64_t modified_ms; /* since 1970, UTC */
    bool is_folder, is_regular;
} sw_file_facts;

SW_MUST_USE sw_status sw_file_stat(sw_file_facts *out, const char *path, sw_error *error);
/* Bytes that are free for us, and all of them, on the disk that has `path`. */
SW_MUST_USE sw_status sw_file_disk(uint64_t *free_bytes, uint64_t *total_bytes, const char *path,
                                   sw_error *error);
/* Sets the modification time to now. */
SW_MUST_USE sw_status sw_file_touch(const char *path, sw_error *error);

/* Calls `visit` for each name but "." and "..", in no order, until it fails. A missing folder has
 * none. */
SW_MUST_USE sw_status sw_file_each(const char *folder,
                                   sw_status (*visit)(const char *name, void *context,
                                                      sw_error *error),
                                   void *context, sw_error *error);

/* Appends the whole file to `out`; TOO_LARGE beyond `max_bytes`. */
SW_MUST_USE sw_status sw_file_read_whole(sw_buf *out, const char *path, size_t max_bytes,
                                         sw_error *error);
/* The whole file as memory, to be read; it must not change meanwhile. INVALID where it is empty or
 * no regular file. */
SW_MUST_USE sw_status sw_file_map(sw_str *out, const char *path, sw_error *error);
/* Nothing happens on {NULL, 0}. */
void sw_file_unmap(sw_str map);
/* Old content or new, never half: written beside it as "path.new", synced, renamed, synced. */
SW_MUST_USE sw_status sw_file_write_whole(const char *path, sw_str bytes, sw_error *error);

/*
 * Takes the lock file at `path` until `*fd` is closed or the process ends, and writes the process
 * id into it. CONFLICT where somebody else has it; `*holder` (may be NULL) is then his id, or 0.
 */
SW_MUST_USE sw_status sw_file_lock(int *fd, int64_t *holder, const char *path, sw_error *error);

/* Fills with unpredictable bytes of the kernel's. */
SW_MUST_USE sw_status sw_file_random(void *bytes, size_t len, sw_error *error);

#ifdef SW_FAULTS
typedef enum sw_file_fault {
    SW_FILE_FAULT_FULL,  /* ENOSPC; of a write, half is on the disk */
    SW_FILE_FAULT_BAD,   /* EIO */
    SW_FILE_FAULT_SHORT, /* a read or write does half and says so: must be survived. Else EINTR */
} sw_file_fault;

/* The `nth` call from now on this thread fails (1 = the next); 0 turns it off. */
void sw_file_fail_at(size_t nth, sw_file_fault fault);
/* Whether the planned failure has happened. */
bool sw_file_failed(void);
#endif

#endif /* SW_IO_FILE_H */
