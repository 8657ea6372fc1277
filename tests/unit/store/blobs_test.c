/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "io/file.h"
#include "store/blobs.h"
#include "unit/scratch.h"
#include "unit/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

/* FIPS 180-4's example: SHA-256 of "abc". */
#define HASH_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define HASH_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static sw_error error;

static sw_status put(sw_blob_id *id, sw_blobs *blobs, sw_str bytes) {
    sw_blob_writer *writer;
    uint64_t size_bytes = 0;
    SW_TRY(sw_blob_begin(&writer, blobs, &error));
    sw_status status = sw_blob_add(writer, bytes, &error);
    if (sw_failed(status)) {
        sw_blob_abort(writer);
        return status;
    }
    status = sw_blob_finish(id, &size_bytes, writer, &error);
    if (!sw_failed(status))
        CHECK_INT(size_bytes, bytes.len);
    return status;
}

static void count_one(const sw_blob_id *id, int64_t modified_ms, void *context) {
    (void)id;
    CHECK(modified_ms > 0);
    ++*(int *)context;
}

static int count_blobs(sw_blobs *blobs) {
    int count = 0;
    CHECK_OK(sw_blobs_each(blobs, count_one, &count, &error), error);
    return count;
}

static sw_status count_name(const char *name, void *context, sw_error *why) {
    (void)name;
    (void)why;
    ++*(int *)context;
    return SW_OK;
}

static int count_incoming(const char *dir) {
    int count = 0;
    CHECK_OK(sw_file_each(scratch_path(dir, "blobs/incoming"), count_name, &count, &error), error);
    return count;
}

TEST(blob__is_named_by_its_hash_and_holds_its_bytes) {
    char dir[SCRATCH_BYTES], path[SW_PATH_BYTES];
    sw_blobs *blobs;
    sw_blob_id id;
    sw_buf read = {0};
    uint64_t size_bytes = 0;
    scratch_make(dir);
    REQUIRE_OK(sw_blobs_open(&blobs, dir, &error), error);
    REQUIRE_OK(put(&id, blobs, SW_STR("abc")), error);
    CHECK_TEXT(id.hex, HASH_OF_ABC);
    sw_blob_path(path, sizeof path, blobs, &id);
    CHECK_TEXT(path, scratch_path(dir, "blobs/ba/" HASH_OF_ABC));
    CHECK_OK(sw_file_read_whole(&read, path, 100, &error), error);
    CHECK_STR(sw_buf_str(&read), "abc");
    CHECK_OK(sw_blob_size(&size_bytes, blobs, &id, &error), error);
    CHECK_INT(size_bytes, 3);
    CHECK_INT(count_incoming(dir), 0);
    sw_buf_free(&read);
    sw_blobs_close(blobs);
    scratch_remove(dir);
}

TEST(blob__may_be_empty) {
    char dir[SCRATCH_BYTES];
    sw_blobs *blobs;
    sw_blob_id id;
    scratch_make(dir);
    REQUIRE_OK(sw_blobs_open(&blobs, dir, &error), error);
    CHECK_OK(put(&id, blobs, SW_STR("")), error);
    CHECK_TEXT(id.hex, HASH_OF_NOTHING);
    sw_blobs_close(blobs);
    scratch_remove(dir);
}

TEST(blob__streams_in_pieces_of_any_size) {
    char dir[SCRATCH_BYTES], hex[SW_SHA256_HEX + 1];
    static char bytes[3 << 20];
    sw_blobs *blobs;
    sw_blob_writer *writer;
    sw_blob_id id;
    uint64_t size_bytes;
    unsigned chance = 1;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(chance = chance * 1103515245 + 12345);
    scratch_make(dir);
    REQUIRE_OK(sw_blobs_open(&blobs, dir, &error), error);
    REQUIRE_OK(sw_blob_begin(&writer, blobs, &error), error);
    for (size_t at = 0, step = 1; at < sizeof bytes; at += step, step = step * 3 + 1) {
        step = step < sizeof bytes - at ? step : sizeof bytes - at;
        CHECK_OK(sw_blob_add(writer, (sw_str){bytes + at, step}, &error), error);
    }
    REQUIRE_OK(sw_blob_finish(&id, &size_bytes, writer, &error), error);
    CHECK_INT(size_bytes, sizeof bytes);
    sw_sha256_hex(hex, (sw_str){bytes, sizeof bytes});
    CHECK_TEXT(id.hex, hex);
    sw_blobs_close(blobs);
    scratch_remove(dir);
}

TEST(blob__of_equal_content_is_kept_once_and_grows_young_again) {
    char dir[SCRATCH_BYTES], path[SW_PATH_BYTES];
    sw_blobs *blobs;
    sw_blob_id id;
    bool removed = true;
    scratch_make(dir);
    REQUIRE_OK(sw_blobs_open(&blobs, dir, &error), error);
    REQUIRE_OK(put(&id, blobs, SW_STR("abc")), error);
    sw_blob_path(path, sizeof path, blobs, &id);
    struct timespec old[2] = {{1000, 0}, {1000, 0}};
    CHECK_INT(utimensat(AT_FDCWD, path, old, 0), 0);
    struct stat before, after;
    CHECK_INT(stat(path, &before), 0);
    int64_t upload_ms = sw_clock_wall_ms() - 2000;
    REQUIRE_OK(put(&id, blobs, SW_STR("abc")), error);
    CHECK_INT(stat(path, &after), 0);
    CHECK(before.st_ino == after.st_ino);
    CHECK_INT(count_blobs(blobs), 1);
    CHECK_INT(count_incoming(dir), 0);
    CHECK_OK(sw_blob_remove_older(&removed, blobs, &id, upload_ms, &error), error);
    CHECK(!removed);
    CHECK_INT(count_blobs(blobs), 1);
    sw_blobs_close(blobs);
    scratch_remove(dir);
}

TEST(blob__that_was_cut_from_outside_is_healed_by_the_next_upload) {
    char dir[SCRATCH_BYTES], path[SW_PATH_BYTES];
    sw_blobs *blobs;
    sw_blob_id id;
    uint64_t size_bytes;
    scratch_make(dir);
    REQUIRE_OK(sw_blobs_open(&blobs, dir, &error), error);
    REQUIRE_OK(put(&id, blobs, SW_STR("abc")), error);
    sw_blob_path(path, sizeof path, blobs, &id);
    CHECK_INT(truncate(path, 1), 0);
    REQUIRE_OK(put(&id, blobs, SW_STR("abc")), error);
    CHECK_OK(sw_blob_size(&size_bytes, blobs, &id, &error), error);
    CHECK_INT(size_bytes, 3);
    sw_blobs_close(blobs);
    scratch_remove(dir);
}

TEST(blob__that_is_given_up_leaves_nothing) {
    char dir[SCRATCH_BYTES];
    sw_blobs *blobs;
    sw_blob_writer *writer;
    scratch_make(dir);
    REQUIRE_OK(sw_blobs_open(&blobs, dir, &error), error);
    REQUIRE_OK(sw_blob_begin(&writer, blobs, &error), error);
    CHECK_OK(sw_blob_add(writer, SW_STR("half"), &error), error);
    CHECK_INT(count_incoming(dir), 1);
    sw_blob_abort(writer);
    sw_blob_abort(NULL);
    CHECK_INT(count_incoming(dir), 0);
    CHECK_INT(count_blobs(blobs), 0);
    sw_blobs_close(blobs);
    scratch_remove(dir);
}

TEST(blobs__sweep_what_a_crash_left_coming_in) {
    char dir[SCRATCH_BYTES];
    sw_blobs *blobs;
    sw_blob_writer *lost;
    sw_blob_id id;
    scratch_make(dir);
    REQUIRE_OK(sw_blobs_open(&blobs, dir, &error), error);
    REQUIRE_OK(put(&id, blobs, SW_STR("kept")), error);
    REQUIRE_OK(sw_blob_begin(&lost, blobs, &error), error);
    CHECK_OK(sw_blob_add(lost, SW_STR("half"), &error), error);
    sw_blobs *again; /* as the next process would */
    REQUIRE_OK(sw_blobs_open(&again, dir, &error), error);
    CHECK_INT(count_incoming(dir), 0);
    CHECK_INT(count_blobs(again), 1);
    sw_blobs_close(again);
    sw_blob_abort(lost);
    sw_blobs_close(blobs);
    scratch_remove(dir);
}

TEST(blob__that_is_not_there_is_said_so) {
    char dir[SCRATCH_BYTES];
    sw_blobs *blobs;
    sw_blob_id id;
    uint64_t size_bytes;
    scratch_make(dir);
    REQUIRE_OK(sw_blobs_open(&blobs, dir, &error), error);
    CHECK(sw_blob_id_parse(&id, SW_STR(HASH_OF_ABC)));
    CHECK_INT(sw_blob_size(&size_bytes, blobs, &id, &error).code, SW_CODE_NOT_FOUND);
    CHECK_TEXT(error.text, "there is no blob " HASH_OF_ABC ": upload it first");
    CHECK_INT(sw_blob_remove(blobs, &id, &error).code, SW_CODE_NOT_FOUND);
    REQUIRE_OK(put(&id, blobs, SW_STR("abc")), error);
    CHECK_OK(sw_blob_remove(blobs, &id, &error), error);
    CHECK_INT(count_blobs(blobs), 0);
    sw_blobs_close(blobs);
    scratch_remove(dir);
}

TEST(blob_id__is_64_lower_case_hex_digits) {
    sw_blob_id id;
    CHECK(sw_blob_id_parse(&id, SW_STR(HASH_OF_ABC)));
    CHECK_TEXT(id.hex, HASH_OF_ABC);
    CHECK(!sw_blob_id_parse(&id, SW_STR("")));
    CHECK(!sw_blob_id_parse(&id, SW_STR(HASH_OF_ABC "0")));
    CHECK(!sw_blob_id_parse(&id, ((sw_str){HASH_OF_ABC, 63})));
    CHECK(!sw_blob_id_parse(
        &id, SW_STR("BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")));
    CHECK(!sw_blob_id_parse(
        &id, SW_STR("../../../../../../../../../../../../../../../../../../etc/passwd")));
}

enum { THREADS = 4, ROUNDS = 30 };

/* All upload the same few contents, and one clears away whatever is old: nothing that was
 * acknowledged a moment ago may be missing. */
static void *upload_often(void *context) {
    for (int i = 0; i < ROUNDS; i++) {
        char text[32];
        sw_blob_id id;
        sw_error why;
        sw_blob_writer *writer;
        uint64_t size_bytes;
        int used = snprintf(text, sizeof text, "content %d", i % 5);
        sw_status status = sw_blob_begin(&writer, context, &why);
        if (!sw_failed(status))
            status = sw_blob_add(writer, (sw_str){text, (size_t)used}, &why);
        if (!sw_failed(status))
            status = sw_blob_finish(&id, &size_bytes, writer, &why);
        CHECK_OK(status, why);
        status = sw_blob_size(&size_bytes, context, &id, &why);
        CHECK_OK(status, why);
    }
    return NULL;
}

static void remove_old(const sw_blob_id *id, int64_t modified_ms, void *context) {
    bool removed;
    (void)modified_ms;
    sw_status status = sw_blob_remove_older(&removed, context, id, sw_clock_wall_ms() - 1000, NULL);
    CHECK(status.code == SW_CODE_OK || status.code == SW_CODE_NOT_FOUND);
}

TEST(blobs__are_written_by_many_while_old_ones_are_cleared_away) {
    char dir[SCRATCH_BYTES];
    sw_blobs *blobs;
    pthread_t threads[THREADS];
    scratch_make(dir);
    REQUIRE_OK(sw_blobs_open(&blobs, dir, &error), error);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, upload_often, blobs);
    for (int i = 0; i < ROUNDS; i++)
        CHECK_OK(sw_blobs_each(blobs, remove_old, blobs, &error), error);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(count_blobs(blobs), 5);
    CHECK_INT(count_incoming(dir), 0);
    sw_blobs_close(blobs);
    scratch_remove(dir);
}

TEST_MAIN
