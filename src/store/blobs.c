/* SPDX-License-Identifier: Apache-2.0 */
#include "store/blobs.h"

#include "base/mem.h"
#include "io/file.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { SHARD_HEX = 2, SHARDS = 256 };
/* What a path has left for the folder beside "/ab/", the name and a NUL. */
enum { FOLDER_BYTES = SW_PATH_BYTES - SW_SHA256_HEX - SHARD_HEX - 3 };

struct sw_blobs {
    char folder[FOLDER_BYTES];
    char incoming[SW_PATH_BYTES];
    atomic_uint_fast64_t next_incoming;
    pthread_mutex_t mutex;         /* a blob comes into place, or goes: one at a time */
    bool shard_is_durable[SHARDS]; /* its name was synced since we opened */
};

struct sw_blob_writer {
    sw_blobs *blobs;
    sw_sha256 *hash;
    int fd;
    uint64_t size_bytes;
    char path[SW_PATH_BYTES];
};

/* ---- Opening ---- */

static sw_status sweep_one(const char *name, void *context, sw_error *error) {
    const sw_blobs *blobs = context;
    char path[SW_PATH_BYTES];
    SW_TRY(sw_file_path(path, blobs->incoming, name, error));
    return sw_file_remove(path, error);
}

static sw_status set_up(sw_blobs *blobs, const char *data_dir, sw_error *error) {
    int used = snprintf(blobs->folder, sizeof blobs->folder, "%s/blobs", data_dir);
    if (used < 0 || (size_t)used >= sizeof blobs->folder)
        return sw_fail(error, SW_CODE_INVALID, "the path %.64s… is too long", data_dir);
    SW_TRY(sw_file_path(blobs->incoming, blobs->folder, "incoming", error));
    SW_TRY(sw_file_make_folders(NULL, blobs->incoming, error));
    return sw_file_each(blobs->incoming, sweep_one, blobs, error);
}

sw_status sw_blobs_open(sw_blobs **out, const char *data_dir, sw_error *error) {
    sw_blobs *blobs = sw_mem_zalloc(1, sizeof *blobs);
    if (!blobs)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while opening %s", data_dir);
    pthread_mutex_init(&blobs->mutex, NULL);
    sw_status status = set_up(blobs, data_dir, error);
    if (sw_failed(status))
        sw_blobs_close(blobs);
    else
        *out = blobs;
    return status;
}

void sw_blobs_close(sw_blobs *blobs) {
    if (!blobs)
        return;
    pthread_mutex_destroy(&blobs->mutex);
    sw_mem_free(blobs);
}

/* ---- Names ---- */

bool sw_blob_id_parse(sw_blob_id *out, sw_str hex) {
    if (hex.len != SW_SHA256_HEX)
        return false;
    for (size_t i = 0; i < hex.len; i++)
        if (!((hex.at[i] >= '0' && hex.at[i] <= '9') || (hex.at[i] >= 'a' && hex.at[i] <= 'f')))
            return false;
    memcpy(out->hex, hex.at, SW_SHA256_HEX);
    out->hex[SW_SHA256_HEX] = '\0';
    return true;
}

void sw_blob_path(char *path, size_t cap, const sw_blobs *blobs, const sw_blob_id *id) {
    snprintf(path, cap, "%s/%.*s/%s", blobs->folder, SHARD_HEX, id->hex, id->hex);
}

static void shard_path(char path[SW_PATH_BYTES], const sw_blobs *blobs, const sw_blob_id *id) {
    snprintf(path, SW_PATH_BYTES, "%s/%.*s", blobs->folder, SHARD_HEX, id->hex);
}

static unsigned shard_of(const sw_blob_id *id) {
    unsigned shard = 0;
    for (int i = 0; i < SHARD_HEX; i++)
        shard =
            shard * 16 + (unsigned)(id->hex[i] <= '9' ? id->hex[i] - '0' : id->hex[i] - 'a' + 10);
    return shard;
}

/* ---- Writing ---- */

sw_status sw_blob_begin(sw_blob_writer **out, sw_blobs *blobs, sw_error *error) {
    sw_blob_writer *writer = sw_mem_zalloc(1, sizeof *writer);
    if (!writer)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while starting an upload");
    writer->blobs = blobs;
    writer->fd = -1;
    char name[32];
    snprintf(name, sizeof name, "%" PRIuFAST64, atomic_fetch_add(&blobs->next_incoming, 1));
    sw_status status = sw_file_path(writer->path, blobs->incoming, name, error);
    if (!sw_failed(status))
        status = sw_sha256_begin(&writer->hash, error);
    if (!sw_failed(status))
        status = sw_file_create(&writer->fd, writer->path, error);
    if (sw_failed(status))
        sw_blob_abort(writer);
    else
        *out = writer;
    return status;
}

sw_status sw_blob_add(sw_blob_writer *writer, sw_str bytes, sw_error *error) {
    sw_sha256_add(writer->hash, bytes);
    writer->size_bytes += bytes.len;
    return sw_file_write(writer->fd, bytes, writer->path, error);
}

/* Frees all but the file. */
static void free_writer(sw_blob_writer *writer) {
    sw_file_close(&writer->fd);
    sw_sha256_free(writer->hash);
    sw_mem_free(writer);
}

void sw_blob_abort(sw_blob_writer *writer) {
    if (!writer)
        return;
    /* What cannot be removed is swept at the next start. */
    if (writer->fd >= 0)
        (void)sw_failed(sw_file_remove(writer->path, NULL));
    free_writer(writer);
}

/* A file of another size under this name was damaged from outside: it is replaced. */
static sw_status is_there(bool *there, const char *path, uint64_t size_bytes, sw_error *error) {
    sw_file_facts facts;
    sw_status status = sw_file_stat(&facts, path, error);
    *there = !sw_failed(status) && facts.size_bytes == size_bytes && !facts.is_folder;
    return status.code == SW_CODE_NOT_FOUND ? SW_OK : status;
}

/* Under the mutex. A name counts only once its folders are synced, whoever made it. */
static sw_status put_in_place(sw_blob_writer *writer, const sw_blob_id *id, sw_error *error) {
    sw_blobs *blobs = writer->blobs;
    char path[SW_PATH_BYTES], shard[SW_PATH_BYTES];
    bool there;
    sw_blob_path(path, sizeof path, blobs, id);
    shard_path(shard, blobs, id);
    SW_TRY(sw_file_make_folders(NULL, shard, error));
    if (!blobs->shard_is_durable[shard_of(id)])
        SW_TRY(sw_file_sync_folder(blobs->folder, error));
    blobs->shard_is_durable[shard_of(id)] = true;
    SW_TRY(is_there(&there, path, writer->size_bytes, error));
    if (there) {
        SW_TRY(sw_file_touch(path, error));
        SW_TRY(sw_file_remove(writer->path, error));
    } else {
        SW_TRY(sw_file_rename(writer->path, path, error));
    }
    return sw_file_sync_folder(shard, error);
}

sw_status sw_blob_finish(sw_blob_id *id, uint64_t *size_bytes, sw_blob_writer *writer,
                         sw_error *error) {
    *size_bytes = writer->size_bytes;
    sw_sha256_finish(id->hex, writer->hash);
    sw_status status = sw_file_sync(writer->fd, writer->path, error);
    if (!sw_failed(status)) {
        pthread_mutex_lock(&writer->blobs->mutex);
        status = put_in_place(writer, id, error);
        pthread_mutex_unlock(&writer->blobs->mutex);
    }
    if (sw_failed(status))
        sw_blob_abort(writer);
    else
        free_writer(writer);
    return status;
}

/* ---- What is there ---- */

static sw_status find(sw_file_facts *facts, char path[SW_PATH_BYTES], const sw_blobs *blobs,
                      const sw_blob_id *id, sw_error *error) {
    sw_blob_path(path, SW_PATH_BYTES, blobs, id);
    sw_status status = sw_file_stat(facts, path, error);
    if (status.code == SW_CODE_NOT_FOUND)
        return sw_fail(error, SW_CODE_NOT_FOUND, "there is no blob %s: upload it first", id->hex);
    return status;
}

sw_status sw_blob_size(uint64_t *size_bytes, sw_blobs *blobs, const sw_blob_id *id,
                       sw_error *error) {
    sw_file_facts facts;
    char path[SW_PATH_BYTES];
    SW_TRY(find(&facts, path, blobs, id, error));
    *size_bytes = facts.size_bytes;
    return SW_OK;
}

static sw_status remove_locked(bool *removed, sw_blobs *blobs, const sw_blob_id *id,
                               int64_t modified_before_ms, sw_error *error) {
    sw_file_facts facts;
    char path[SW_PATH_BYTES];
    SW_TRY(find(&facts, path, blobs, id, error));
    if (facts.modified_ms >= modified_before_ms)
        return SW_OK;
    SW_TRY(sw_file_remove(path, error));
    *removed = true;
    return SW_OK;
}

sw_status sw_blob_remove_older(bool *removed, sw_blobs *blobs, const sw_blob_id *id,
                               int64_t modified_before_ms, sw_error *error) {
    *removed = false;
    pthread_mutex_lock(&blobs->mutex);
    sw_status status = remove_locked(removed, blobs, id, modified_before_ms, error);
    pthread_mutex_unlock(&blobs->mutex);
    return status;
}

sw_status sw_blob_remove(sw_blobs *blobs, const sw_blob_id *id, sw_error *error) {
    bool removed;
    return sw_blob_remove_older(&removed, blobs, id, INT64_MAX, error);
}

typedef struct walk {
    const sw_blobs *blobs;
    void (*visit)(const sw_blob_id *id, int64_t modified_ms, void *context);
    void *context;
} walk;

static sw_status walk_blob(const char *name, void *context, sw_error *error) {
    walk *w = context;
    sw_blob_id id;
    sw_file_facts facts;
    char path[SW_PATH_BYTES];
    if (!sw_blob_id_parse(&id, sw_str_of(name)))
        return SW_OK;
    sw_status status = find(&facts, path, w->blobs, &id, error);
    if (!sw_failed(status))
        w->visit(&id, facts.modified_ms, w->context);
    return status.code == SW_CODE_NOT_FOUND ? SW_OK : status; /* removed meanwhile */
}

static sw_status walk_shard(const char *name, void *context, sw_error *error) {
    const walk *w = context;
    char path[SW_PATH_BYTES];
    if (strlen(name) != SHARD_HEX)
        return SW_OK;
    SW_TRY(sw_file_path(path, w->blobs->folder, name, error));
    return sw_file_each(path, walk_blob, context, error);
}

sw_status sw_blobs_each(sw_blobs *blobs,
                        void (*visit)(const sw_blob_id *id, int64_t modified_ms, void *context),
                        void *context, sw_error *error) {
    walk w = {blobs, visit, context};
    return sw_file_each(blobs->folder, walk_shard, &w, error);
}
